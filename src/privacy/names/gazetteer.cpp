#include "privacy/names/gazetteer.h"

#include <array>

#include "privacy/names/tables.h"

namespace tandem::privacy {

namespace {

// Where the words begin whose hashes have the same upper bits: hashes are spread evenly, so a few looks tell.
constexpr unsigned kShift = 16;

constexpr auto kBegins = [] {
    std::array<std::uint16_t, (1U << (32 - kShift)) + 1> begins{};
    std::size_t at = 0;
    for (std::size_t upper = 0; upper < begins.size(); ++upper) {
        while (at < std::size(kWords) && kWords[at] >> kShift < upper) ++at;
        begins[upper] = static_cast<std::uint16_t>(at);
    }
    return begins;
}();
static_assert(std::size(kWords) < 65536);

// A bit for each value of sixteen bits of the hash of a place.
constexpr auto kPlaceBits = [] {
    std::array<std::uint64_t, 1024> bits{};
    for (const std::uint32_t word : kWords)
        if ((word & kPlaceName) != 0) bits[word >> 10U & 1023U] |= std::uint64_t{1} << (word >> 4U & 63U);
    return bits;
}();

}  // namespace

unsigned kinds_of_hash(std::uint32_t hash) {
    const std::size_t upper = hash >> kShift;
    for (std::size_t at = kBegins[upper]; at < kBegins[upper + 1]; ++at)
        if (kWords[at] >> 4U == hash >> 4U) return kWords[at] & 15U;
    return 0;
}

bool may_be_place(std::uint32_t hash) {
    return (kPlaceBits[hash >> 10U & 1023U] >> (hash >> 4U & 63U) & 1U) != 0;
}

}  // namespace tandem::privacy
