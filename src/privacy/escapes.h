// The escapes that one place of a text may hold. Private to disguise.cpp.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace tandem::privacy {

// What stands for the bytes [at - before, at + size) of a text; size 0: nothing is disguised there.
struct Undone {
    std::string text;
    std::size_t size = 0;
    std::size_t before = 0;
};

inline constexpr auto kHexValues = [] {
    std::array<signed char, 256> values{};
    values.fill(-1);
    for (unsigned char i = 0; i < 10; ++i) values['0' + i] = static_cast<signed char>(i);
    for (unsigned char i = 0; i < 6; ++i) values['a' + i] = values['A' + i] = static_cast<signed char>(10 + i);
    return values;
}();
constexpr int hex_value(char c) {  // -1: no hex digit
    return kHexValues[static_cast<unsigned char>(c)];
}

// Whether a disguise may stand at a place, by that byte and those beside it: undo() is asked about these only.
bool may_be_disguised(std::string_view text, std::size_t at);

Undone undo(std::string_view text, std::size_t at);

}  // namespace tandem::privacy
