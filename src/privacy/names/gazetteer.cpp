#include "privacy/names/gazetteer.h"

#include <array>

#include "privacy/names/tables.h"

namespace tandem::privacy {

namespace {

std::uint32_t fnv(std::string_view word) {
    std::uint32_t value = 0x811C9DC5U;
    for (const char c : word)
        value = (value ^ static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 0x01000193U;
    return value;
}

// A sorted list of hashes, with where those of each first twelve bits begin: hashes are spread evenly, so a few looks
// tell.
template <std::size_t N>
class Hashes {
  public:
    consteval explicit Hashes(const std::uint32_t (&sorted)[N]) : sorted_(sorted) {
        std::size_t at = 0;
        for (std::size_t first = 0; first <= kFirsts; ++first) {
            while (at < N && sorted[at] >> kShift < first) ++at;
            begins_[first] = static_cast<std::uint16_t>(at);
        }
    }
    bool has(std::uint32_t value) const {
        const std::size_t first = value >> kShift;
        for (std::size_t at = begins_[first]; at < begins_[first + 1]; ++at)
            if (sorted_[at] >= value) return sorted_[at] == value;
        return false;
    }

  private:
    static_assert(N < 65536);
    static constexpr unsigned kShift = 20;
    static constexpr std::size_t kFirsts = 1U << (32 - kShift);
    const std::uint32_t* sorted_;
    std::array<std::uint16_t, kFirsts + 1> begins_{};
};
constexpr Hashes kFirstHashes(kFirst);
constexpr Hashes kLastHashes(kLast);
constexpr Hashes kPlaceHashes(kPlaces);
constexpr Hashes kCommonHashes(kCommon);

}  // namespace

unsigned kinds_of_name(std::string_view word) {
    const auto value = fnv(word);
    unsigned kinds = 0;
    if (kFirstHashes.has(value)) kinds |= kFirstName;
    if (kLastHashes.has(value)) kinds |= kLastName;
    if (kPlaceHashes.has(value)) kinds |= kPlaceName;
    if (kCommonHashes.has(value)) kinds |= kCommonWord;
    return kinds;
}

}  // namespace tandem::privacy
