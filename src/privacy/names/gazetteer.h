// Lists of names: what a word may be. Private to names/.
#pragma once

#include <cstdint>
#include <string_view>

namespace tandem::privacy {

inline constexpr unsigned kFirstName = 1, kLastName = 2, kPlaceName = 4, kCommonWord = 8;

// The kinds of name that `word` is, as bits. Letters beyond ASCII are compared as they are written.
unsigned kinds_of_name(std::string_view word);

}  // namespace tandem::privacy
