// Code points, and what each of them is in the canonical form of a text. Private to privacy/, but for the words of the
// index.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::privacy {

// A code point and how many bytes it took; size 0: not UTF-8.
struct Point {
    std::uint32_t value;
    std::size_t size;
};
Point point_at(std::string_view text, std::size_t at);

// Nothing is appended for what is no code point.
void append_utf8(std::string& out, std::uint32_t point);

inline constexpr char kStays = 0;    // the code point stays as it is
inline constexpr char kNothing = 1;  // it is invisible, or a mark on another

// What a code point beyond ASCII is to a reader: an ASCII character, kNothing or kStays. The rules are in generate.py.
char plain_of(std::uint32_t point);

// The letter without its accents, where it is one code point with them; else the point itself.
std::uint32_t base_of(std::uint32_t point);

}  // namespace tandem::privacy
