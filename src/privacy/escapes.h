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

// What the bytes beside a disguise are, and what each byte that one may begin with asks of them: a look at three
// tables, since in source code every tenth byte may begin one.
namespace beside {
enum : unsigned char { kAny = 1 };
enum : unsigned char { kJoins = 2, kEscaped = 4, kAtOrDot = 8, kCode = 16, kHexOrU = 32, kNamed = 64, kBlank = 128 };
enum : unsigned char { kValueOrBlank = 2, kOneBlank = 4, kU = 8 };

struct Tables {
    std::array<unsigned char, 256> is_behind{}, is_before{};      // what a byte is
    std::array<unsigned char, 256> asks_behind{}, asks_before{};  // 0: no disguise begins so
};
constexpr bool one_of(std::string_view all, char c) {
    return all.find(c) != std::string_view::npos;
}
constexpr Tables make() {
    Tables t;
    for (std::size_t i = 0; i < 256; ++i) {
        const char c = static_cast<char>(i);
        const bool blank = one_of(" \t\n\r", c), hex = hex_value(c) >= 0;
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), digit = c >= '0' && c <= '9';
        t.is_behind[i] = static_cast<unsigned char>(
            kAny | (blank || one_of("+.|<&~\\", c) ? kJoins : 0) |
            (one_of("uUxXo0123456789/\"_-.@+'\\nrt", c) ? kEscaped : 0) | (one_of("aAdD", c) ? kAtOrDot : 0) |
            (hex || c == '\n' || c == '\r' ? kCode : 0) | (hex || c == 'u' || c == 'U' ? kHexOrU : 0) |
            (c == '#' || letter ? kNamed : 0) | (c == ' ' ? kBlank : 0));
        t.is_before[i] =
            static_cast<unsigned char>(kAny | (letter || digit || one_of("@._-+/ ", c) ? kValueOrBlank : 0) |
                                       (c == ' ' ? kOneBlank : 0) | (c == 'u' || c == 'U' ? kU : 0));
        const bool asks_nothing = (i < 0x20 && !blank) || i == 0x7F || (i >= 0xC2 && i < 0xF5);
        t.asks_behind[i] = t.asks_before[i] = asks_nothing ? kAny : 0;
    }
    auto ask = [&](std::string_view all, unsigned char behind, unsigned char before = kAny) {
        for (const char c : all) {
            t.asks_behind[static_cast<unsigned char>(c)] = behind;
            t.asks_before[static_cast<unsigned char>(c)] = before;
        }
    };
    ask("\"'`", kJoins, kValueOrBlank);
    ask("\\", kEscaped);
    ask("([", kAtOrDot);
    ask("=", kCode);
    ask("%", kHexOrU);
    ask("&", kNamed);
    ask("@", kBlank, kOneBlank);
    ask("+", kAny, kU);
    return t;
}
inline constexpr Tables kTables = make();
}  // namespace beside

// Whether a disguise may stand at a place, by that byte and those beside it: undo() is asked about these only.
inline bool may_be_disguised(std::string_view text, std::size_t at) {
    auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto& tables = beside::kTables;
    const auto before = tables.is_before[at > 0 ? byte(at - 1) : 0];
    const auto behind = tables.is_behind[at + 1 < text.size() ? byte(at + 1) : 0];
    return (tables.asks_behind[byte(at)] & behind) != 0 && (tables.asks_before[byte(at)] & before) != 0;
}

Undone undo(std::string_view text, std::size_t at);

}  // namespace tandem::privacy
