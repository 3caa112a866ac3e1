// Characters of UTF-8, counted by their first bytes. Text that is none gives a number all the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace tandem {

// A byte behind the first one of a character.
constexpr bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

inline std::size_t characters_in(std::string_view text) {
    return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, continues_character));
}

}  // namespace tandem
