#include "privacy/disguise.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>

namespace tandem::privacy {

namespace {

constexpr std::size_t kLeastEncoded = 16;
constexpr std::size_t kAround = 400;  // bytes of text on either side of a change that a value may reach over

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// A code point and how many bytes it took; size 0: not UTF-8.
struct Point {
    std::uint32_t value;
    std::size_t size;
};

Point point_at(std::string_view text, std::size_t at) {
    auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const unsigned first = byte(at);
    if (first >= 0xC2 && first < 0xE0 && (byte(at + 1) & 0xC0) == 0x80)
        return {(first & 0x1F) << 6 | (byte(at + 1) & 0x3F), 2};
    if (first >= 0xE0 && first < 0xF0 && (byte(at + 1) & 0xC0) == 0x80 && (byte(at + 2) & 0xC0) == 0x80)
        return {(first & 0x0F) << 12 | (byte(at + 1) & 0x3F) << 6 | (byte(at + 2) & 0x3F), 3};
    if (first >= 0xF0 && first < 0xF5 && (byte(at + 1) & 0xC0) == 0x80 && (byte(at + 2) & 0xC0) == 0x80 &&
        (byte(at + 3) & 0xC0) == 0x80)
        return {(first & 0x07) << 18 | (byte(at + 1) & 0x3F) << 12 | (byte(at + 2) & 0x3F) << 6 | (byte(at + 3) & 0x3F),
                4};
    return {0, 0};
}

constexpr char kDrop = 1;  // the character is nothing
constexpr char kKeep = 0;  // it stays as it is

// Letters of other scripts that are drawn like a Latin one.
struct LookAlike {
    std::uint32_t point;
    char latin;
};
constexpr auto kLookAlikes = std::to_array<LookAlike>({
    {0x391, 'A'}, {0x392, 'B'}, {0x395, 'E'}, {0x396, 'Z'}, {0x397, 'H'}, {0x399, 'I'}, {0x39A, 'K'}, {0x39C, 'M'},
    {0x39D, 'N'}, {0x39F, 'O'}, {0x3A1, 'P'}, {0x3A4, 'T'}, {0x3A5, 'Y'}, {0x3A7, 'X'}, {0x3B1, 'a'}, {0x3B9, 'i'},
    {0x3BA, 'k'}, {0x3BD, 'v'}, {0x3BF, 'o'}, {0x3C1, 'p'}, {0x3C5, 'u'}, {0x3C7, 'x'}, {0x3F2, 'c'}, {0x405, 'S'},
    {0x406, 'I'}, {0x408, 'J'}, {0x410, 'A'}, {0x412, 'B'}, {0x415, 'E'}, {0x41A, 'K'}, {0x41C, 'M'}, {0x41D, 'H'},
    {0x41E, 'O'}, {0x420, 'P'}, {0x421, 'C'}, {0x422, 'T'}, {0x423, 'Y'}, {0x425, 'X'}, {0x430, 'a'}, {0x435, 'e'},
    {0x43A, 'k'}, {0x43E, 'o'}, {0x440, 'p'}, {0x441, 'c'}, {0x443, 'y'}, {0x445, 'x'}, {0x455, 's'}, {0x456, 'i'},
    {0x458, 'j'}, {0x4BB, 'h'}, {0x501, 'd'}, {0x51B, 'q'}, {0x51D, 'w'}, {0x261, 'g'}, {0x131, 'i'}, {0x237, 'j'},
});

char mathematical(std::uint32_t point) {
    // U+1D400 to 1D6A3: thirteen alphabets of capitals and small letters; U+1D7CE to 1D7FF: five rows of digits.
    if (point >= 0x1D400 && point <= 0x1D6A3) {
        const auto place = (point - 0x1D400) % 52;
        return static_cast<char>(place < 26 ? 'A' + place : 'a' + place - 26);
    }
    if (point >= 0x1D7CE && point <= 0x1D7FF) return static_cast<char>('0' + (point - 0x1D7CE) % 10);
    return kKeep;
}

char folded(std::uint32_t point) {
    if (point == 0xAD || (point >= 0x300 && point <= 0x36F) || (point >= 0x200B && point <= 0x200F) ||
        (point >= 0x202A && point <= 0x202E) || (point >= 0x2060 && point <= 0x2069) || point == 0xFEFF ||
        point == 0x180E || point == 0x34F || (point >= 0xFE00 && point <= 0xFE0F) ||
        (point >= 0xE0001 && point <= 0xE007F))
        return kDrop;
    if (point == 0xA0 || (point >= 0x2000 && point <= 0x200A) || point == 0x202F || point == 0x205F || point == 0x3000)
        return ' ';
    if ((point >= 0x2010 && point <= 0x2015) || point == 0x2212 || point == 0xFE58 || point == 0xFE63) return '-';
    if (point >= 0xFF01 && point <= 0xFF5E) return static_cast<char>(point - 0xFF01 + '!');
    if (point == 0xFE6B) return '@';
    if (point == 0x2024 || point == 0x3002 || point == 0xFF61) return '.';
    if (point >= 0x660 && point <= 0x669) return static_cast<char>('0' + point - 0x660);
    if (point >= 0x6F0 && point <= 0x6F9) return static_cast<char>('0' + point - 0x6F0);
    if (point >= 0x966 && point <= 0x96F) return static_cast<char>('0' + point - 0x966);
    if (point >= 0x9E6 && point <= 0x9EF) return static_cast<char>('0' + point - 0x9E6);
    if (point >= 0x2460 && point <= 0x2468) return static_cast<char>('1' + point - 0x2460);
    if (point >= 0x24B6 && point <= 0x24CF) return static_cast<char>('A' + point - 0x24B6);
    if (point >= 0x24D0 && point <= 0x24E9) return static_cast<char>('a' + point - 0x24D0);
    if (point == 0xB2 || point == 0xB3) return static_cast<char>('0' + point - 0xB0);
    if (point == 0xB9) return '1';
    if (point >= 0x2070 && point <= 0x2079) return static_cast<char>('0' + point - 0x2070);
    if (point >= 0x2080 && point <= 0x2089) return static_cast<char>('0' + point - 0x2080);
    if (point >= 0x1D400) return mathematical(point);
    if (point < 0x131 || point > 0x51D) return kKeep;
    const auto* const found = std::ranges::find(kLookAlikes, point, &LookAlike::point);
    return found == kLookAlikes.end() ? kKeep : found->latin;
}

void append_utf8(std::string& out, std::uint32_t point) {
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xC0 | point >> 6);
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        out += static_cast<char>(0xE0 | point >> 12);
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    } else if (point < 0x110000) {
        out += static_cast<char>(0xF0 | point >> 18);
        out += static_cast<char>(0x80 | (point >> 12 & 0x3F));
        out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
        out += static_cast<char>(0x80 | (point & 0x3F));
    }
}

// What stands at `at`, as plain text, and how many bytes it takes there; size 0: nothing to undo.
struct Undone {
    std::string text;
    std::size_t size = 0;
};

std::optional<std::uint32_t> hex_number(std::string_view text, std::size_t least, std::size_t most, std::size_t& used) {
    std::uint32_t value = 0;
    used = 0;
    while (used < most && used < text.size() && hex_value(text[used]) >= 0)
        value = value * 16 + static_cast<std::uint32_t>(hex_value(text[used++]));
    if (used < least) return {};
    return value;
}

Undone entity(std::string_view rest) {
    static constexpr std::array<std::pair<std::string_view, char>, 17> kNamed = {{{"&amp;", '&'},
                                                                                  {"&lt;", '<'},
                                                                                  {"&gt;", '>'},
                                                                                  {"&quot;", '"'},
                                                                                  {"&apos;", '\''},
                                                                                  {"&nbsp;", ' '},
                                                                                  {"&commat;", '@'},
                                                                                  {"&period;", '.'},
                                                                                  {"&colon;", ':'},
                                                                                  {"&sol;", '/'},
                                                                                  {"&equals;", '='},
                                                                                  {"&lowbar;", '_'},
                                                                                  {"&hyphen;", '-'},
                                                                                  {"&dash;", '-'},
                                                                                  {"&num;", '#'},
                                                                                  {"&plus;", '+'},
                                                                                  {"&percnt;", '%'}}};
    Undone undone;
    for (const auto& [name, c] : kNamed)
        if (rest.starts_with(name)) return {std::string(1, c), name.size()};
    if (rest.size() < 4 || rest[1] != '#') return undone;
    std::size_t used = 0;
    std::uint32_t value = 0;
    std::size_t at = 2;
    if (rest[2] == 'x' || rest[2] == 'X') {
        const auto number = hex_number(rest.substr(3), 1, 6, used);
        if (!number) return undone;
        value = *number;
        at = 3 + used;
    } else {
        while (at < rest.size() && at < 9 && rest[at] >= '0' && rest[at] <= '9')
            value = value * 10 + static_cast<std::uint32_t>(rest[at++] - '0');
        if (at == 2) return undone;
    }
    if (at < rest.size() && rest[at] == ';') ++at;
    append_utf8(undone.text, value);
    undone.size = at;
    return undone;
}

Undone backslash(std::string_view rest) {
    if (rest.size() < 2) return {};
    Undone undone;
    std::size_t used = 0;
    if (rest[1] == 'u' && rest.size() > 2 && rest[2] == '{') {
        const auto value = hex_number(rest.substr(3), 1, 6, used);
        if (!value || rest.size() <= 3 + used || rest[3 + used] != '}') return {};
        append_utf8(undone.text, *value);
        undone.size = 4 + used;
    } else if (rest[1] == 'u' || rest[1] == 'U') {
        const std::size_t width = rest[1] == 'u' ? 4 : 8;
        auto value = hex_number(rest.substr(2), width, width, used);
        if (!value) return {};
        undone.size = 2 + width;
        std::size_t low_used = 0;
        if (*value >= 0xD800 && *value < 0xDC00 && rest.substr(6).starts_with("\\u"))
            if (const auto low = hex_number(rest.substr(8), 4, 4, low_used); low && *low >= 0xDC00 && *low < 0xE000) {
                value = 0x10000 + ((*value - 0xD800) << 10) + (*low - 0xDC00);
                undone.size += 6;
            }
        append_utf8(undone.text, *value);
    } else if (rest[1] == 'x') {
        const auto value = hex_number(rest.substr(2), 2, 2, used);
        if (!value) return {};
        undone.text = static_cast<char>(*value);
        undone.size = 4;
    } else if (rest[1] == '/' || rest[1] == '"' || rest[1] == '_' || rest[1] == '-' || rest[1] == '.' ||
               rest[1] == '@') {
        undone.text = rest[1];
        undone.size = 2;
    }
    return undone;
}

Undone bracketed(std::string_view rest) {
    for (const auto& [written, meant] :
         {std::pair<std::string_view, char>{"[at]", '@'}, {"(at)", '@'}, {"[dot]", '.'}, {"(dot)", '.'}}) {
        if (rest.size() < written.size()) continue;
        bool same = true;
        for (std::size_t i = 0; i < written.size(); ++i)
            same = same && (rest[i] == written[i] || (rest[i] | 32) == written[i]);
        if (same) return {std::string(1, meant), written.size()};
    }
    return {};
}

Undone undo(std::string_view text, std::size_t at) {
    const char c = text[at];
    switch (c) {
        case '&':
            return entity(text.substr(at));
        case '%':
            if (at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0)
                return {std::string(1, static_cast<char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]))), 3};
            return {};
        case '\\':
            return backslash(text.substr(at));
        case '[':
        case '(':
            return bracketed(text.substr(at));
        case ' ':  // " [at] " takes its spaces with it
            if (at + 1 < text.size() && (text[at + 1] == '[' || text[at + 1] == '('))
                if (auto inner = bracketed(text.substr(at + 1)); inner.size > 0) {
                    inner.size += 1;
                    if (at + inner.size < text.size() && text[at + inner.size] == ' ') ++inner.size;
                    return inner;
                }
            return {};
        default:
            break;
    }
    const Point point = point_at(text, at);
    if (point.size == 0) return {};
    const char plain = folded(point.value);
    if (plain == kKeep) return {{}, 0};
    return {plain == kDrop ? std::string() : std::string(1, plain), point.size};
}

constexpr std::array<bool, 256> interesting() {
    std::array<bool, 256> table{};
    for (const unsigned char c : {'&', '%', '\\', '[', '('}) table[c] = true;
    for (std::size_t c = 0xC2; c < 0xF5; ++c) table[c] = true;
    return table;
}
constexpr auto kInteresting = interesting();

// From `at` on, the first byte that a disguise could begin with; the text's size where there is none.
std::size_t next_interesting(std::string_view text, std::size_t at) {
#ifdef __SSE2__
    for (; at + 16 <= text.size(); at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
        auto found = bytes;  // the sign bit: all beyond ASCII
        for (const char c : {'&', '%', '\\', '[', '('})
            found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
        if (const auto bits = static_cast<unsigned>(_mm_movemask_epi8(found)); bits != 0)
            return at + static_cast<std::size_t>(std::countr_zero(bits));
    }
#endif
    while (at < text.size() && !kInteresting[static_cast<unsigned char>(text[at])]) ++at;
    return at;
}

// Most brackets are none of "[at]", "(dot)".
bool may_be_bracketed(std::string_view text, std::size_t at) {
    return at + 1 < text.size() && ((text[at + 1] | 32) == 'a' || (text[at + 1] | 32) == 'd');
}

// ---- base64 and hex ----

constexpr std::array<signed char, 256> base64_table() {
    std::array<signed char, 256> table{};
    table.fill(-1);
    for (int i = 0; i < 26; ++i) {
        table[static_cast<std::size_t>('A' + i)] = static_cast<signed char>(i);
        table[static_cast<std::size_t>('a' + i)] = static_cast<signed char>(26 + i);
    }
    for (int i = 0; i < 10; ++i) table[static_cast<std::size_t>('0' + i)] = static_cast<signed char>(52 + i);
    table['+'] = table['-'] = 62;
    table['/'] = table['_'] = 63;
    return table;
}
constexpr auto kBase64 = base64_table();

// Which of at most 64 characters base64 is written with, as bits.
std::uint64_t base64_in(std::string_view block) {
    std::uint64_t bits = 0;
    std::size_t at = 0;
#ifdef __SSE2__
    // Whether a byte is from `low` to `low + count - 1`: moved so that `low` is the least signed byte.
    auto among = [](__m128i bytes, char low, char count) {
        const auto moved = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>(low + 128)));
        return _mm_cmplt_epi8(moved, _mm_set1_epi8(static_cast<char>(-128 + count)));
    };
    for (; at + 16 <= block.size(); at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data() + at));
        auto found = among(_mm_or_si128(bytes, _mm_set1_epi8(32)), 'a', 26);
        found = _mm_or_si128(found, among(bytes, '/', 11));  // and the digits behind it
        for (const char c : {'+', '-', '_'}) found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
        bits |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(found))) << at;
    }
#endif
    for (; at < block.size(); ++at)
        bits |= static_cast<std::uint64_t>(kBase64[static_cast<unsigned char>(block[at])] >= 0) << at;
    return bits;
}

constexpr std::size_t kNoRun = std::string_view::npos;

// Where, from `at` on, the first run of at least kLeastEncoded such characters begins.
std::size_t next_run(std::string_view text, std::size_t at) {
    static_assert(kLeastEncoded == 16, "each step below doubles the length of the runs that are left");
    constexpr std::size_t kBefore = kLeastEncoded - 1;
    std::uint64_t before = 0;  // the last bits of the block before
    for (; at < text.size(); at += 48) {
        // 48 characters and the 15 before them fill one word.
        const auto block = base64_in(text.substr(at, 48));
        const auto word = block << kBefore | before;
        auto runs = word & word >> 1;
        runs &= runs >> 2;
        runs &= runs >> 4;
        runs &= runs >> 8;
        if (runs != 0) return at + static_cast<std::size_t>(std::countr_zero(runs)) - kBefore;
        before = block >> (48 - kBefore);
    }
    return kNoRun;
}

bool printable(unsigned char c) {
    return (c >= 0x20 && c != 0x7F) || c == '\n' || c == '\r' || c == '\t';
}

// Text has no control characters, and bytes beyond ASCII only as UTF-8.
bool is_text(std::string_view bytes) {
    std::size_t ascii = 0;
    for (std::size_t i = 0; i < bytes.size();) {
        const auto c = static_cast<unsigned char>(bytes[i]);
        if (c < 0x80) {
            if (!printable(c)) return false;
            ++ascii;
            ++i;
            continue;
        }
        const auto point = point_at(bytes, i);
        if (point.size == 0) return i + 4 > bytes.size() && ascii > 4;  // a cut character at the end
        i += point.size;
    }
    return ascii * 2 >= bytes.size();
}

bool decode_base64(std::string_view run, std::string& out) {
    out.clear();
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : run) {
        const auto value = kBase64[static_cast<unsigned char>(c)];
        if (value < 0) continue;  // line breaks
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if (++count % 4 != 0) continue;
        for (const int shift : {16, 8, 0}) {
            const auto byte = static_cast<unsigned char>(bits >> shift & 0xFF);
            // Most words are no base64 of text: they are told apart in their first bytes.
            if (byte < 0x20 && !printable(byte)) return false;
            out += static_cast<char>(byte);
        }
        bits = 0;
    }
    if (count % 4 == 3) {
        out += static_cast<char>(bits >> 10 & 0xFF);
        out += static_cast<char>(bits >> 2 & 0xFF);
    } else if (count % 4 == 2) {
        out += static_cast<char>(bits >> 4 & 0xFF);
    }
    return is_text(out);
}

bool decode_hex(std::string_view run, std::string& out) {
    out.clear();
    if (run.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < run.size(); i += 2) {
        const int high = hex_value(run[i]), low = hex_value(run[i + 1]);
        if (high < 0 || low < 0) return false;
        const auto byte = static_cast<unsigned char>(high * 16 + low);
        if (!printable(byte)) return false;
        out += static_cast<char>(byte);
    }
    return is_text(out);
}

}  // namespace

std::optional<Folded> fold(std::string_view text) {
    std::optional<Folded> result;
    std::size_t kept = 0;  // up to here it is in the result, or left out
    auto keep = [&](std::size_t to) {
        for (std::size_t i = kept; i < to; ++i) {
            result->text += text[i];
            result->origin.push_back(static_cast<std::uint32_t>(i));
        }
        kept = to;
    };
    for (std::size_t at = 0; (at = next_interesting(text, at)) < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (!kInteresting[c] || ((c == '[' || c == '(') && !may_be_bracketed(text, at))) continue;
        std::size_t from = at;
        Undone undone;
        if ((c == '[' || c == '(') && at > kept && text[at - 1] == ' ') {
            undone = undo(text, at - 1);
            if (undone.size > 0) from = at - 1;
        }
        if (undone.size == 0) undone = undo(text, at);
        if (undone.size == 0) continue;
        if (!result) result.emplace();
        // What is far from every change was looked at as it is.
        if (from > kept + 2 * kAround) {
            if (kept > 0) keep(kept + kAround);
            result->text += '\n';
            result->origin.push_back(static_cast<std::uint32_t>(kept));
            kept = from - kAround;
        }
        keep(from);
        for (const char plain : undone.text) {
            result->text += plain;
            result->origin.push_back(static_cast<std::uint32_t>(from));
        }
        kept = from + undone.size;
        at = kept - 1;
    }
    if (!result) return {};
    keep(std::min(text.size(), kept + kAround));
    result->origin.push_back(static_cast<std::uint32_t>(kept));
    return result;
}

void each_encoded(std::string_view text, const std::function<void(std::size_t, std::size_t, std::string_view)>& visit) {
    std::string decoded;
    for (std::size_t at = 0, begin = 0; (begin = next_run(text, at)) != kNoRun;) {
        std::size_t end = begin + kLeastEncoded;
        while (end < text.size()) {
            if (kBase64[static_cast<unsigned char>(text[end])] >= 0) {
                ++end;
            } else if ((text[end] == '\n' || text[end] == '\r') && end - begin >= 60 && end + 1 < text.size()) {
                std::size_t next = end + 1;
                if (text[end] == '\r' && text[next] == '\n') ++next;
                std::size_t line = next;
                while (line < text.size() && kBase64[static_cast<unsigned char>(text[line])] >= 0) ++line;
                if (line - next < 4) break;
                end = line;
            } else {
                break;
            }
        }
        const std::size_t body = end;
        while (end < text.size() && text[end] == '=' && end - body < 2) ++end;
        const auto run = text.substr(begin, body - begin);
        if (decode_hex(run, decoded) || decode_base64(run, decoded)) visit(begin, end, decoded);
        at = end;
    }
}

}  // namespace tandem::privacy
