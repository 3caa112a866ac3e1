#include "privacy/escapes.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "privacy/unicode/unicode.h"

namespace tandem::privacy {

namespace {

constexpr std::size_t kMostBackslashes = 16;  // escapes of escapes of escapes
constexpr std::size_t kMostZeros = 16;        // in front of a number of an entity
constexpr std::size_t kLongestJoint = 64;     // between two strings that code joins, indentation included

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_alnum(char c) {
    return is_digit(c) || is_letter(c);
}
// May stand within a value.
constexpr bool is_value_byte(char c) {
    return is_alnum(c) || c == '@' || c == '.' || c == '_' || c == '-' || c == '+' || c == '/';
}
constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The number that `rest` begins with; nullopt where it has fewer than `least` digits. Zeros in front are read over.
std::optional<std::uint32_t> number_at(std::string_view rest, unsigned base, std::size_t least, std::size_t most,
                                       std::size_t& used) {
    std::uint32_t value = 0;
    used = 0;
    while (used < rest.size() && used < most) {
        const int digit = hex_value(rest[used]);
        if (digit < 0 || static_cast<unsigned>(digit) >= base) break;
        value = value * base + static_cast<unsigned>(digit);
        if (value >= 0x110000) return {};
        ++used;
    }
    return used < least ? std::nullopt : std::optional(value);
}

// What is invisible may stand within a number: it goes first, and the number is read in the next layer.
bool goes_on(std::string_view rest, std::size_t at) {
    if (at >= rest.size()) return false;
    const auto c = static_cast<unsigned char>(rest[at]);
    return c >= 0x7F || (c < 0x20 && !is_blank(rest[at]));
}

// The code point as the canonical form has it.
void append_plain(std::string& out, std::uint32_t point) {
    const char plain = plain_of(point);
    if (plain == kStays && (point >= 0x20 || point == '\t' || point == '\n' || point == '\r'))
        append_utf8(out, point);
    else if (plain != kNothing && plain != kStays)
        out += plain;
}

// Whether one of these does.
bool any_goes_on(std::string_view text) {
    constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = kOnes * 0x80, kBlank = kOnes * 0x20;
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, text.data() + at, sizeof bytes);
        // A byte beyond ASCII or 0x7F, or one below a blank: hardly any.
        if (((bytes | (bytes + kOnes) | ((bytes - kBlank) & ~bytes)) & kHigh) == 0) continue;
        for (std::size_t i = at; i < at + sizeof bytes; ++i)
            if (goes_on(text, i)) return true;
    }
    for (; at < text.size(); ++at)
        if (goes_on(text, at)) return true;
    return false;
}

Undone made(std::uint32_t point, std::size_t size) {
    Undone undone;
    append_plain(undone.text, point);
    undone.size = size;
    return undone;
}

struct Named {
    std::string_view name;
    std::string_view meant;
};
constexpr auto kNamed = std::to_array<Named>({
    {"&amp;", "&"},      {"&lt;", "<"},     {"&gt;", ">"},
    {"&quot;", "\""},    {"&apos;", "'"},   {"&nbsp;", " "},
    {"&commat;", "@"},   {"&period;", "."}, {"&colon;", ":"},
    {"&sol;", "/"},      {"&equals;", "="}, {"&lowbar;", "_"},
    {"&UnderBar;", "_"}, {"&hyphen;", "-"}, {"&dash;", "-"},
    {"&ndash;", "-"},    {"&mdash;", "-"},  {"&minus;", "-"},
    {"&num;", "#"},      {"&plus;", "+"},   {"&percnt;", "%"},
    {"&ensp;", " "},     {"&emsp;", " "},   {"&thinsp;", " "},
    {"&hairsp;", " "},   {"&Tab;", "\t"},   {"&NewLine;", "\n"},
    {"&shy;", ""},       {"&zwj;", ""},     {"&zwnj;", ""},
    {"&lrm;", ""},       {"&rlm;", ""},     {"&ZeroWidthSpace;", ""},
    {"&NoBreak;", ""},   {"&wbr;", ""},     {"&lpar;", "("},
    {"&rpar;", ")"},     {"&comma;", ","},  {"&semi;", ";"},
    {"&bsol;", "\\"},    {"&dollar;", "$"}, {"&excl;", "!"},
    {"&quest;", "?"},    {"&ast;", "*"},    {"&vert;", "|"},
    {"&tilde;", "~"},    {"&Hat;", "^"},    {"&grave;", "`"},
});

Undone entity(std::string_view rest) {
    if (rest.size() < 4) return {};
    if (rest[1] != '#') {
        if (!is_letter(rest[1])) return {};
        for (const auto& [name, meant] : kNamed)
            if (rest.starts_with(name)) return {std::string(meant), name.size()};
        return {};
    }
    const bool hex = rest[2] == 'x' || rest[2] == 'X';
    const std::size_t from = hex ? 3 : 2;
    std::size_t used = 0;
    const auto value = number_at(rest.substr(from), hex ? 16 : 10, 1, kMostZeros + 7, used);
    if (!value) return {};
    std::size_t size = from + used;
    if (size < rest.size() && rest[size] == ';')
        ++size;
    else if (goes_on(rest, size))
        return {};
    return made(*value, size);
}

Undone percent(std::string_view rest) {
    if (rest.size() >= 6 && (rest[1] == 'u' || rest[1] == 'U')) {
        std::size_t used = 0;
        if (const auto value = number_at(rest.substr(2), 16, 4, 4, used)) return made(*value, 6);
    }
    if (rest.size() < 3) return {};
    const int high = hex_value(rest[1]), low = hex_value(rest[2]);
    if (high < 0 || low < 0) return {};
    return {std::string(1, static_cast<char>(high * 16 + low)), 3};
}

// {41} behind two characters.
Undone braced(std::string_view rest) {
    std::size_t used = 0;
    const auto value = number_at(rest.substr(3), 16, 1, kMostZeros + 6, used);
    if (!value || rest.size() <= 3 + used || rest[3 + used] != '}') return {};
    return made(*value, 4 + used);
}

// \u0041, \U00000041, \u{41}, with what follows a high surrogate.
Undone backslash_u(std::string_view rest) {
    if (rest.size() > 2 && rest[2] == '{') return braced(rest);
    std::size_t used = 0;
    const std::size_t width = rest[1] == 'u' ? 4 : 8;
    auto value = number_at(rest.substr(2), 16, width, width, used);
    if (!value) return {};
    std::size_t size = 2 + width;
    if (*value >= 0xD800 && *value < 0xDC00 && rest.substr(6).starts_with("\\u"))
        if (const auto low = number_at(rest.substr(8), 16, 4, 4, used); low && *low >= 0xDC00 && *low < 0xE000) {
            value = 0x10000 + ((*value - 0xD800) << 10) + (*low - 0xDC00);
            size += 6;
        }
    return made(*value, size);
}

Undone backslash_x(std::string_view rest) {
    if (rest.size() > 2 && rest[2] == '{') return braced(rest);
    std::size_t used = 0;
    const auto value = number_at(rest.substr(2), 16, 2, 2, used);
    if (!value) return {};
    return {std::string(1, static_cast<char>(*value)), 4};
}

// \115, and \o{115}: bytes that can be printed only, since \1 is a group of an expression in most texts.
Undone octal(std::string_view rest) {
    const std::size_t from = rest[1] == 'o' ? 3 : 1;
    if (from == 3 && (rest.size() < 4 || rest[2] != '{')) return {};
    std::size_t used = 0;
    const auto value = number_at(rest.substr(from), 8, 2, from == 3 ? 8 : 3, used);
    if (!value || (*value < 0x20 && *value != '\t' && *value != '\n') || *value > 0xFF || *value == 0x7F) return {};
    if (from == 1 && used < 3 && goes_on(rest, from + used)) return {};
    if (from == 3 && (rest.size() <= from + used || rest[from + used] != '}')) return {};
    return {std::string(1, static_cast<char>(*value)), from + used + (from == 3 ? 1 : 0)};
}

Undone one_backslash(std::string_view rest) {
    if (rest.size() < 2) return {};
    const char c = rest[1];
    if (c == 'u' || c == 'U') return backslash_u(rest);
    if (c == 'x' || c == 'X') return backslash_x(rest);
    if (is_digit(c) || c == 'o') return octal(rest);
    if (c == '/' || c == '"' || c == '_' || c == '-' || c == '.' || c == '@' || c == '+' || c == '\'')
        return {std::string(1, c), 2};
    return {};
}

Undone backslash(std::string_view text, std::size_t at) {
    const auto rest = text.substr(at);
    std::size_t count = 1;
    while (count < rest.size() && count < kMostBackslashes && rest[count] == '\\') ++count;
    if (count == rest.size()) return {};
    // Behind another that only something invisible parts from it: that goes first.
    std::size_t before = at;
    while (before > 0 && at - before < 8 && goes_on(text, before - 1)) --before;
    if (before < at && before > 0 && text[before - 1] == '\\') return {};
    // A line break that is written out, within a number or a value: "4111\n1111" in JSON or code.
    const char c = rest[count];
    if ((c == 'n' || c == 'r' || c == 't') && at > 0 && is_digit(text[at - 1]) && count + 1 < rest.size() &&
        (is_digit(rest[count + 1]) || rest[count + 1] == '\\'))
        return {std::string(1, c == 't' ? '\t' : '\n'), count + 1};
    auto undone = one_backslash(rest.substr(count - 1));
    if (undone.size > 0) undone.size += count - 1;
    return undone;
}

// "[at]", "(dot)", with the blanks around it.
Undone bracketed(std::string_view text, std::size_t at) {
    const auto rest = text.substr(at, 5);
    for (const auto& [written, meant] : {std::pair<std::string_view, char>{"at", '@'}, {"dot", '.'}}) {
        if (rest.size() < written.size() + 2 || (rest[written.size() + 1] != ']' && rest[written.size() + 1] != ')'))
            continue;
        if (!std::ranges::equal(rest.substr(1, written.size()), written, {}, [](char c) { return c | 32; })) continue;
        Undone undone{std::string(1, meant), written.size() + 2};
        if (at > 0 && text[at - 1] == ' ') undone.before = 1;
        if (at + undone.size < text.size() && text[at + undone.size] == ' ') ++undone.size;
        return undone;
    }
    return {};
}

// Whether the sign at `at` may end a run of base64, or what is invisible has to go before that can be told.
bool may_be_padding(std::string_view text, std::size_t at) {
    constexpr std::size_t kLeastRun = 12, kLongestRun = 1024;
    std::size_t end = at + 1;
    while (end > 0 && at + 1 - end < 2 && text[end - 1] == '=') --end;
    std::size_t run = 0;
    while (run < end && run < kLongestRun && (is_value_byte(text[end - run - 1]) || goes_on(text, end - run - 1))) {
        if (goes_on(text, end - run - 1)) return true;
        ++run;
    }
    return run >= kLeastRun && (run + (at + 1 - end)) % 4 == 0;
}

// Quoted-printable (RFC 2045, section 6.7): a line that goes on, and =4D where more of the kind stands by it or where
// no code says so ("=40" before a letter, "=2E" within a word).
Undone quoted_printable(std::string_view text, std::size_t at) {
    if (at + 1 >= text.size()) return {};
    const auto rest = text.substr(at);
    if (rest[1] == '\n' || rest.starts_with("=\r\n")) {
        const std::size_t size = rest[1] == '\n' ? 2 : 3;
        if (at == 0 || is_blank(text[at - 1]) || size >= rest.size() || is_blank(rest[size])) return {};
        return may_be_padding(text, at) ? Undone{} : Undone{"", size};
    }
    auto code = [&](std::size_t i) {
        auto capital = [](char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); };
        if (i + 2 >= text.size() || text[i] != '=' || !capital(text[i + 1]) || !capital(text[i + 2])) return -1;
        return hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]);
    };
    const int value = code(at);
    if ((value < 0x20 && value != '\t' && value != '\n' && value != '\r') || value == 0x7F) return {};
    // What is invisible or looks alike goes first, and codes that it parts stand together again.
    constexpr std::size_t kBefore = 12, kBehind = 15;
    const std::size_t from = at - std::min(at, kBefore);
    if (any_goes_on(text.substr(from, at + kBehind - from))) return {};
    const char next = rest.size() > 3 ? rest[3] : ' ';
    const bool among = code(at + 3) >= 0 || (at >= 3 && code(at - 3) >= 0) || rest.substr(3).starts_with("=\n") ||
                       rest.substr(3).starts_with("=\r\n");
    const bool within =
        at > 0 && is_alnum(text[at - 1]) &&
        ((value == '@' && is_letter(next)) || (is_alnum(next) && (value == '.' || value == '-' || value == '_' ||
                                                                  value == '+' || value == '=' || value == '/')));
    if (!among && !within) return {};
    return {std::string(1, static_cast<char>(value)), 3};
}

bool goes_on_behind_line(std::string_view text) {
    if (text[0] != '\\' && text[0] != '_') return false;
    return text.substr(1).starts_with('\n') || text.substr(1).starts_with("\r\n");
}

// Two strings that code joins in the middle of a value: "abc" + "def", 'abc' . 'def', "abc" "def".
Undone joint(std::string_view text, std::size_t at) {
    const auto rest = text.substr(at, kLongestJoint);
    if (at == 0) return {};
    const bool after_blank = text[at - 1] == ' ';
    const char before = after_blank && at > 1 ? text[at - 2] : text[at - 1];
    if (after_blank ? !is_digit(before) : !is_value_byte(before)) return {};
    std::size_t i = 1;
    // Blanks, and what says at a line's end that the expression goes on: `\` and Basic's `_`.
    auto blanks = [&] {
        const std::size_t from = i;
        while (i < rest.size() && (is_blank(rest[i]) || goes_on_behind_line(rest.substr(i)))) ++i;
        return i - from;
    };
    std::size_t blank = blanks();
    bool joined = false;
    for (const std::string_view op : {"+=", "..", "||", "++", "<>", "<<", "+", ".", "&", "~", "\\"})
        if (rest.substr(i).starts_with(op)) {
            i += op.size();
            joined = true;
            break;
        }
    blank += blanks();
    if (!joined && blank == 0) return {};
    // f"...", b'...', u8"..." and the like
    if (i + 1 < rest.size() && is_letter(rest[i]) && (rest[i + 1] == '"' || rest[i + 1] == '\'')) ++i;
    if (i + 1 >= rest.size() || (rest[i] != '"' && rest[i] != '\'' && rest[i] != '`')) return {};
    ++i;
    const char behind = rest[i];
    if (!is_value_byte(behind) && !(behind == ' ' && is_digit(before) && i + 1 < rest.size() && is_digit(rest[i + 1])))
        return {};
    return {"", i};
}

// "jane @ example.org": blanks around the sign go with it.
Undone parted_at(std::string_view text, std::size_t at) {
    const bool before = at > 1 && text[at - 1] == ' ' && is_alnum(text[at - 2]);
    const bool behind = at + 2 < text.size() && text[at + 1] == ' ' && is_alnum(text[at + 2]);
    if (!before || !behind) return {};  // "see @scope/name" is none
    return {"@", 2, 1};
}

// U+0041
Undone code_point(std::string_view text, std::size_t at) {
    if (at == 0 || (text[at - 1] | 32) != 'u' || (at > 1 && is_alnum(text[at - 2]))) return {};
    std::size_t used = 0;
    const auto value = number_at(text.substr(at + 1, 9), 16, 4, 8, used);
    if (!value) return {};
    auto undone = made(*value, 1 + used);
    undone.before = 1;
    return undone;
}

}  // namespace

Undone undo(std::string_view text, std::size_t at) {
    switch (text[at]) {
        case '&':
            return entity(text.substr(at, 40));
        case '%':
            return percent(text.substr(at, 8));
        case '\\':
            return backslash(text.substr(0, at + 64), at);
        case '[':
        case '(':
            return bracketed(text, at);
        case '=':
            return quoted_printable(text, at);
        case '"':
        case '\'':
        case '`':
            return joint(text, at);
        case '@':
            return parted_at(text, at);
        case '+':
            return code_point(text, at);
        default:
            break;
    }
    if (static_cast<unsigned char>(text[at]) < 0x80) return {"", 1};  // a control character
    const Point point = point_at(text, at);
    if (point.size == 0) return {};
    const char plain = plain_of(point.value);
    if (plain == kStays) return {};
    return {plain == kNothing ? std::string() : std::string(1, plain), point.size};
}

}  // namespace tandem::privacy
