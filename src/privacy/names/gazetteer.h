// Lists of names: what a word may be. Private to names/.
#pragma once

#include <cstdint>

namespace tandem::privacy {

inline constexpr unsigned kFirstName = 1, kLastName = 2, kPlaceName = 4, kCommonWord = 8;

// The kinds of name that a word is, as bits, by hash_of_word(word).
unsigned kinds_of_hash(std::uint32_t hash);
// False for most words that are the name of no place; quick.
bool may_be_place(std::uint32_t hash);

}  // namespace tandem::privacy
