// The codings of each_encoded(): where a run of one may begin is sought in blocks of bits, one for each byte of the
// text; few places pass, and these are read.
#include <algorithm>
#include <array>
#include <bit>

#include "privacy/bytes.h"
#include "privacy/disguise.h"
#include "privacy/escapes.h"
#include "privacy/unicode/unicode.h"

namespace tandem::privacy {

namespace {

using Visit = std::function<void(const Encoded&)>;

constexpr std::size_t kLeastEncoded = 16;  // characters of base64 or hex in one run
constexpr std::size_t kLeastText = 8;      // bytes that a run stands for
constexpr std::size_t kLeastSpelled = 6;   // characters that stand apart
constexpr std::size_t kLongestSeparator = 6;

// ---- where one may begin ----

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

constexpr bool in_base64(char c) {
    return kBase64[static_cast<unsigned char>(c)] >= 0;
}
constexpr bool is_alnum(char c) {
    return in_base64(c) && c != '+' && c != '-' && c != '/' && c != '_';
}
bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

constexpr ByteSet kAlnums(is_alnum);
constexpr ByteSet kHexes([](char c) { return hex_value(c) >= 0; });
constexpr ByteSet kAllBase64(in_base64);
// What Dump reads behind a group of hex digits.
constexpr ByteSet kParting([](char c) {
    return std::string_view(",:-._|;/ \t\r\n\\").find(c) != std::string_view::npos;
});
constexpr ByteSet kX([](char c) { return c == 'x' || c == 'X'; });

// Starts of sixteen base64 characters in a row.
std::uint64_t runs_in(std::uint64_t base64) {
    static_assert(kLeastEncoded == 16, "each step below doubles the length of the runs that are left");
    auto runs = base64 & base64 >> 1;
    runs &= runs >> 2;
    runs &= runs >> 4;
    return runs & runs >> 8;
}

// Pairs of hex digits with one or two other bytes between them, three in a row; or two words of four. `x` is no hex
// digit, so "0x4d, 0x79" begins with the zero alone.
std::uint64_t pairs_in(std::uint64_t hex, std::uint64_t x) {
    const auto pair = hex & hex >> 1 & ~(hex >> 2);
    const auto close = pair & pair >> 3 & pair >> 6;
    const auto wide = pair & ~(hex >> 3) & pair >> 4 & ~(hex >> 7) & pair >> 8;
    const auto four = hex & hex >> 1 & hex >> 2 & hex >> 3 & ~(hex >> 4);
    const auto next = hex & ~(hex >> 1) & pair >> 2;  // "0x4d" and, behind it, the last digit of "4d 79" too
    return close | wide | (four & four >> 5) | (next & x >> 1 & (next >> 5 | next >> 6));
}

// Letters and digits that stand alone, three in a row at the same distance.
std::uint64_t spelled_in(std::uint64_t alnum) {
    const auto alone = alnum & ~(alnum << 1) & ~(alnum >> 1);
    const auto second = alone & (alone - 1);
    if ((second & (second - 1)) == 0) return 0;
    std::uint64_t found = 0;
    for (unsigned step = 2; step <= kLongestSeparator + 1; ++step) found |= alone & alone >> step & alone >> (2 * step);
    return found;
}

// ---- what it stands for ----

bool printable(unsigned char c) {
    return (c >= 0x20 && c != 0x7F) || c == '\n' || c == '\r' || c == '\t';
}

// Text has no control characters, and bytes beyond ASCII only as UTF-8. It may be all look-alikes: random bytes are
// hardly ever UTF-8.
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
    return true;
}

// UTF-16 of text that is ASCII for the most part: every other byte is zero.
bool from_utf16(std::string& bytes) {
    if (bytes.size() < 2 * kLeastText) return false;
    std::size_t from = 0;
    const auto mark = std::string_view(bytes).substr(0, 2);
    const bool little = mark == "\xFF\xFE" || (mark != "\xFE\xFF" && bytes[1] == 0);
    if (mark == "\xFF\xFE" || mark == "\xFE\xFF") from = 2;
    std::string text;
    for (std::size_t i = from; i + 1 < bytes.size(); i += 2) {
        const auto a = static_cast<unsigned char>(bytes[i]), b = static_cast<unsigned char>(bytes[i + 1]);
        append_utf8(text, little ? static_cast<std::uint32_t>(b << 8 | a) : static_cast<std::uint32_t>(a << 8 | b));
    }
    if (!is_text(text)) return false;
    bytes = std::move(text);
    return true;
}

// Whether bytes that have begun so may be text: most are none, and that is seen in their first.
class Judge {
  public:
    bool take(unsigned char byte) {
        if (byte == 0) ++zeros_;
        if (byte != 0 && !printable(byte)) return false;
        return ++seen_ != 8 || zeros_ == 0 || zeros_ >= 3;
    }
    bool zeros() const { return zeros_ > 0; }

  private:
    std::size_t seen_ = 0, zeros_ = 0;
};

bool accepted(std::string& out, const Judge& judge) {
    if (out.size() < kLeastText) return false;
    return judge.zeros() || out.starts_with("\xFF\xFE") || out.starts_with("\xFE\xFF") ? from_utf16(out) : is_text(out);
}

bool decode_base64(std::string_view run, std::string& out) {
    out.clear();
    Judge judge;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : run) {
        const auto value = kBase64[static_cast<unsigned char>(c)];
        if (value < 0) continue;  // line breaks
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        if (++count % 4 != 0) continue;
        for (const int shift : {16, 8, 0}) {
            const auto byte = static_cast<unsigned char>(bits >> shift & 0xFF);
            if (!judge.take(byte)) return false;
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
    return accepted(out, judge);
}

bool decode_hex(std::string_view run, std::string& out) {
    out.clear();
    if (run.starts_with("0x") || run.starts_with("0X")) run.remove_prefix(2);
    Judge judge;
    int high = -1;
    for (const char c : run) {
        if (is_blank(c)) continue;
        const int value = hex_value(c);
        if (value < 0) return false;
        if (high < 0) {
            high = value;
            continue;
        }
        const auto byte = static_cast<unsigned char>(high * 16 + value);
        if (!judge.take(byte)) return false;
        out += static_cast<char>(byte);
        high = -1;
    }
    return high < 0 && accepted(out, judge);
}

// ---- runs of base64 and hex ----

struct Run {
    std::size_t end = 0;   // with its padding
    std::size_t body = 0;  // without
    std::size_t lines = 1;
};

Run read_run(std::string_view text, std::size_t begin) {
    Run run;
    std::size_t end = begin;
    while (end < text.size() && in_base64(text[end])) ++end;
    const std::size_t width = end - begin;
    // Further lines: none is longer than the first, and the last ends where something else begins.
    while (end < text.size() && (text[end] == '\n' || text[end] == '\r')) {
        std::size_t next = end + 1;
        if (text[end] == '\r' && next < text.size() && text[next] == '\n') ++next;
        while (next < text.size() && next - end < 42 && (text[next] == ' ' || text[next] == '\t')) ++next;
        std::size_t line = next;
        while (line < text.size() && line - next <= width && in_base64(text[line])) ++line;
        const bool ends = line >= text.size() || !(text[line] == ' ' || text[line] == ':');
        if (line - next < 2 || line - next > width || !ends) break;
        end = line;
        ++run.lines;
    }
    run.body = end;
    while (end < text.size() && text[end] == '=' && end - run.body < 2) ++end;
    run.end = end;
    return run;
}

// The marks that one of base64's two alphabets has and the other has not.
enum : unsigned char { kCommon = 1, kUrl = 2 };
unsigned char mark(char c) {
    return c == '+' || c == '/' ? kCommon : c == '-' || c == '_' ? kUrl : 0;
}

// A run of either, as a whole; else each of its lines; else each part of it that has one alphabet only.
void visit_run(std::string_view text, std::size_t begin, const Run& run, std::string& decoded, const Visit& visit) {
    auto whole = [&](std::size_t from, std::size_t to, std::size_t end) {
        if (to - from < kLeastEncoded) return false;
        const auto part = text.substr(from, to - from);
        if (!decode_hex(part, decoded) && !decode_base64(part, decoded)) return false;
        visit({from, end, decoded, false});
        return true;
    };
    if (whole(begin, run.body, run.end)) return;
    auto parts = [&](std::size_t from, std::size_t to, unsigned char parting) {
        bool found = false;
        for (std::size_t part = from; part < to;) {
            std::size_t cut = part;
            while (cut < to && (mark(text[cut]) & parting) == 0) ++cut;
            found = whole(part, cut, cut == run.body ? run.end : cut) || found;
            part = cut + 1;
        }
        return found;
    };
    for (std::size_t from = begin; from < run.body;) {
        std::size_t to = from;
        unsigned char marks = 0;
        for (; to < run.body && in_base64(text[to]); ++to) marks |= mark(text[to]);
        // Without marks there are no other parts than what was tried.
        if ((run.lines == 1 || !whole(from, to, to)) && marks != 0)
            (void)(((marks & kUrl) != 0 && parts(from, to, kUrl)) ||
                   ((marks & kCommon) != 0 && parts(from, to, kCommon)) ||
                   (marks == (kUrl | kCommon) && parts(from, to, marks)));
        from = to;
        while (from < run.body && !in_base64(text[from])) ++from;
    }
}

// ---- hex in pairs, words and dumps ----

constexpr std::size_t kLongestColumn = 40;  // of characters, beside the hex

class Dump {
  public:
    Dump(std::string_view text, std::size_t at) : text_(text), at_(at) {}

    // Reads groups from here on, line by line, up to what is no text. False where it is none from its beginning.
    bool read(std::string& out) {
        while (read_line() && to_next_line()) {
        }
        out = bytes_;
        return accepted(out, judge_);
    }
    // The same of a machine that writes the low byte of a word first.
    bool swapped(std::string& out) const {
        if (width_ != 4) return false;
        out.clear();
        for (std::size_t i = 0; i + 1 < bytes_.size(); i += 2) out += {bytes_[i + 1], bytes_[i]};
        return accepted(out, judge_);
    }
    // Behind the last group that was read.
    std::size_t end() const { return end_; }

  private:
    bool is_hex(std::size_t i) const { return i < text_.size() && hex_value(text_[i]) >= 0; }
    std::size_t digits_at(std::size_t i) const {
        std::size_t n = 0;
        while (n < 17 && is_hex(i + n)) ++n;
        return n;
    }
    // "0x", "\x"
    std::size_t prefix_at(std::size_t i) const {
        if (i + 1 >= text_.size()) return 0;
        const bool zero = text_[i] == '0' && (text_[i + 1] == 'x' || text_[i + 1] == 'X');
        return zero || (text_[i] == '\\' && text_[i + 1] == 'x') ? 2 : 0;
    }

    bool read_line() {
        std::size_t groups = 0;
        for (;;) {
            const std::size_t from = at_ + prefix_at(at_);
            const std::size_t digits = digits_at(from);
            if (digits % 2 != 0 || digits == 0 || digits > 16) break;
            if (width_ == 0) width_ = digits;
            if (digits > width_) break;
            for (std::size_t i = from; i < from + digits; i += 2) {
                const auto byte = static_cast<unsigned char>(hex_value(text_[i]) * 16 + hex_value(text_[i + 1]));
                if (!judge_.take(byte)) return false;
                bytes_ += static_cast<char>(byte);
            }
            ++groups;
            end_ = at_ = from + digits;
            const std::size_t next = behind_separator(at_);
            if (next == at_ || digits != width_) break;
            if (prefix_at(next) == 0 && !is_hex(next)) break;
            const std::size_t more = digits_at(next + prefix_at(next));
            const std::size_t behind = next + prefix_at(next) + more;
            const bool ends = behind >= text_.size() || !is_alnum(text_[behind]);
            if (more == 0 || more % 2 != 0 || more > width_ || !ends) break;
            at_ = next;
        }
        return groups > 0;
    }

    // Blanks, or one mark and a blank. The same kind throughout.
    std::size_t behind_separator(std::size_t i) {
        std::size_t next = i;
        if (next < text_.size() && std::string_view(",:-._|;/").find(text_[next]) != std::string_view::npos) {
            if (mark_ != 0 && text_[next] != mark_) return i;
            mark_ = text_[next++];
        } else if (mark_ != 0) {
            return i;
        }
        std::size_t blanks = 0;
        while (next < text_.size() && (text_[next] == ' ' || text_[next] == '\t') && blanks++ < (width_ > 2 ? 1 : 2))
            ++next;
        return next;
    }

    // Over the column of characters, the line's end and the offset in front of the next line's groups.
    bool to_next_line() {
        std::size_t i = at_;
        while (i < text_.size() && i - at_ < kLongestColumn && text_[i] != '\n') ++i;
        if (i + 1 >= text_.size() || text_[i] != '\n') return false;
        ++i;
        while (i < text_.size() && (text_[i] == ' ' || text_[i] == '\t')) ++i;
        std::size_t digits = digits_at(i);
        if (prefix_at(i) != 0 && prefix_at(i) + digits_at(i + 2) == 2 + width_) {
            at_ = i;
            return true;
        }
        if (digits == 0) return false;
        if (digits != width_ || text_.substr(i + digits).starts_with(": ")) {  // the offset
            if (digits < 4) return false;
            i += digits;
            if (i < text_.size() && text_[i] == ':') ++i;
            const std::size_t from = i;
            while (i < text_.size() && (text_[i] == ' ' || text_[i] == '\t')) ++i;
            if (i == from) return false;
            digits = digits_at(i + prefix_at(i));
        }
        if (digits == 0 || digits % 2 != 0 || digits > width_) return false;
        at_ = i;
        return true;
    }

    std::string_view text_;
    std::size_t at_;
    std::size_t end_ = 0;
    std::size_t width_ = 0;
    char mark_ = 0;
    std::string bytes_;
    Judge judge_;
};

// Whether Dump may read anything from a place on: its first byte is one that Judge takes, and more groups follow on
// this line or the next.
bool may_begin_dump(std::string_view text, std::size_t at) {
    constexpr std::size_t kLongestGroup = 16;
    const int high = hex_value(text[at]), low = at + 1 < text.size() ? hex_value(text[at + 1]) : -1;
    if (low < 0) return true;  // "0x"
    if (!Judge().take(static_cast<unsigned char>(high * 16 + low))) return false;
    std::size_t end = at + 2;
    while (end < text.size() && end - at < kLongestGroup && hex_value(text[end]) >= 0) ++end;
    if (end >= text.size() || end - at >= kLongestGroup || kParting.has(text[end])) return true;
    return text.substr(end, kLongestColumn + 1).find('\n') != std::string_view::npos;
}

// ---- characters that stand apart ----

constexpr std::size_t kFarthestBack = 64;

// What stands between the letter or digit at `at` and the next one.
std::string_view separator_at(std::string_view text, std::size_t at) {
    std::size_t next = at + 1;
    while (next < text.size() && next - at <= kLongestSeparator + 1 && !is_alnum(text[next])) ++next;
    return text.substr(at + 1, next - at - 1);
}

// Whether `separator` stands at a place; it has a few bytes.
bool stands_at(std::string_view text, std::size_t at, std::string_view separator) {
    if (at > text.size() || separator.size() > text.size() - at) return false;
    for (std::size_t i = 0; i < separator.size(); ++i)
        if (text[at + i] != separator[i]) return false;
    return true;
}

// Where characters that stand apart begin, of which one is at `at`: those in front may be marks, which are not sought.
std::size_t begin_of_spelled(std::string_view text, std::size_t at) {
    const auto separator = separator_at(text, at);
    if (separator.empty() || separator.size() > kLongestSeparator) return at;
    std::size_t begin = at;
    const std::size_t step = separator.size() + 1;
    while (begin >= step && at - begin < kFarthestBack && stands_at(text, begin - step + 1, separator)) {
        const char c = text[begin - step];
        if (is_blank(c) || c == separator.front()) break;
        if (is_alnum(c) && begin > step && is_alnum(text[begin - step - 1])) break;
        begin -= step;
    }
    return begin;
}

// Reads "4 1 1 1" from its first character; 0: it is none, else where it ends. What is none is seen after a few.
std::size_t read_spelled(std::string_view text, std::size_t at, std::size_t sought, std::string& out) {
    out.clear();
    const auto separator = separator_at(text, sought);
    if (separator.empty() || separator.size() > kLongestSeparator) return 0;
    const bool blank = std::ranges::all_of(separator, is_blank);
    std::size_t end = at, count = 0, shown = 0;
    for (std::size_t i = at; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (blank ? is_blank(text[i]) : text[i] == separator.front()) break;
        const std::size_t size = c < 0x80 ? 1 : std::max<std::size_t>(point_at(text, i).size, 1);
        const std::size_t behind = i + size;
        const bool apart = stands_at(text, behind, separator);
        const bool last = behind >= text.size() || !is_alnum(text[behind]);
        if (!apart && !last && !(blank && is_blank(text[behind]))) break;
        if (size == 1)
            out += text[i];
        else
            out += text.substr(i, size);
        shown += is_alnum(text[i]) ? 1 : 0;
        ++count;
        end = behind;
        if (count > 2 * kLeastSpelled && shown * 2 <= count) break;
        i = behind + separator.size();
        if (blank) {
            i = behind;
            while (i < text.size() && i - behind < kLongestSeparator && is_blank(text[i])) ++i;
            if (i == behind) break;
        } else if (!apart) {
            break;
        }
    }
    return count >= kLeastSpelled && shown * 2 > count ? end : 0;
}

// ---- characters that are not shown ----

// The byte that a tag character or a variation selector carries; -1: it carries none.
int carried(std::uint32_t point) {
    if (point >= 0xE0020 && point < 0xE007F) return static_cast<int>(point - 0xE0000);
    if (point >= 0xE0100 && point <= 0xE01EF) return static_cast<int>(point - 0xE0100 + 16);
    if (point >= 0xFE00 && point <= 0xFE0F) return static_cast<int>(point - 0xFE00);
    return -1;
}

void each_carried(std::string_view text, std::string& decoded, const Visit& visit) {
    for (std::size_t at = 0; (at = text.find('\xF3', at)) != std::string_view::npos;) {
        decoded.clear();
        std::size_t end = at;
        for (Point point = point_at(text, end); point.size > 0 && carried(point.value) >= 0;
             point = point_at(text, end)) {
            decoded += static_cast<char>(carried(point.value));
            end += point.size;
        }
        if (decoded.size() >= kLeastText && is_text(decoded)) visit({at, end, decoded, false});
        at = std::max(end, at + 1);
    }
}

}  // namespace

void each_encoded(std::string_view text, const Visit& visit) {
    std::string decoded;
    each_carried(text, decoded, visit);
    // 48 bytes and the 16 behind them fill one word: a beginning is in the 48, what shows it within the 16 behind.
    constexpr std::size_t kStep = 48;
    constexpr std::uint64_t kBeginnings = (std::uint64_t{1} << kStep) - 1;
    std::size_t run_read = 0, dump_read = 0, spelled_read = 0;
    auto each = [&](std::uint64_t bits, std::size_t from, std::size_t& read, auto&& look) {
        for (bits &= kBeginnings; bits != 0; bits &= bits - 1) {
            const std::size_t at = from + static_cast<std::size_t>(std::countr_zero(bits));
            if (at >= read) look(at);
        }
    };
    for (std::size_t from = 0; from < text.size(); from += kStep) {
        const Bytes bytes(text, from);
        each(runs_in(bytes.in(kAllBase64)), from, run_read, [&](std::size_t at) {
            const Run run = read_run(text, at);
            visit_run(text, at, run, decoded, visit);
            run_read = run.end;
        });
        each(pairs_in(bytes.in(kHexes), bytes.in(kX)), from, dump_read, [&](std::size_t at) {
            if (at > 0 && (hex_value(text[at - 1]) >= 0 || (is_alnum(text[at - 1]) && text[at - 1] != 'x'))) return;
            if (!may_begin_dump(text, at)) return;
            Dump dump(text, at);
            if (dump.read(decoded)) visit({at, dump.end(), decoded, false});
            if (dump.swapped(decoded)) visit({at, dump.end(), decoded, false});
            dump_read = std::max(dump.end(), at + 1);
        });
        each(spelled_in(bytes.in(kAlnums)), from, spelled_read, [&](std::size_t at) {
            if (at > 0 && is_alnum(text[at - 1])) return;
            const std::size_t begin = std::max(begin_of_spelled(text, at), std::min(spelled_read, at));
            std::size_t first = begin, end = read_spelled(text, first, at, decoded);
            if (end == 0 && begin < at) end = read_spelled(text, first = at, at, decoded);
            if (end != 0) {
                visit({first, end, decoded, true});
                spelled_read = end;
            }
        });
    }
}

}  // namespace tandem::privacy
