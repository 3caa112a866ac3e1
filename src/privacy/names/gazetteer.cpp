#include "privacy/names/gazetteer.h"

#include <algorithm>
#include <iterator>

#include "privacy/names/tables.h"

namespace tandem::privacy {

namespace {

std::uint32_t fnv(std::string_view word) {
    std::uint32_t value = 0x811C9DC5U;
    for (const char c : word)
        value = (value ^ static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 0x01000193U;
    return value;
}

}  // namespace

unsigned kinds_of_name(std::string_view word) {
    const auto value = fnv(word);
    unsigned kinds = 0;
    if (std::binary_search(std::begin(kFirst), std::end(kFirst), value)) kinds |= kFirstName;
    if (std::binary_search(std::begin(kLast), std::end(kLast), value)) kinds |= kLastName;
    if (std::binary_search(std::begin(kPlaces), std::end(kPlaces), value)) kinds |= kPlaceName;
    if (std::binary_search(std::begin(kCommon), std::end(kCommon), value)) kinds |= kCommonWord;
    return kinds;
}

}  // namespace tandem::privacy
