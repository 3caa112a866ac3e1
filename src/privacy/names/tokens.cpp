#include "privacy/names/tokens.h"

#include <algorithm>
#include <array>

#include "privacy/names/gazetteer.h"

namespace tandem::privacy {

namespace {

enum Class : std::uint8_t { other, blank, newline, small, big, number, under, high };

constexpr auto kClasses = [] {
    std::array<Class, 256> classes{};
    for (unsigned c = 0; c < 256; ++c) {
        if (c == ' ' || c == '\t' || c == '\r') classes[c] = blank;
        if (c == '\n') classes[c] = newline;
        if (c >= 'a' && c <= 'z') classes[c] = small;
        if (c >= 'A' && c <= 'Z') classes[c] = big;
        if (c >= '0' && c <= '9') classes[c] = number;
        if (c == '_') classes[c] = under;
        if (c >= 0x80) classes[c] = high;
    }
    return classes;
}();

// What stands beside a token.
constexpr auto kGlue = [] {
    std::array<std::uint8_t, 256> glue{};
    for (unsigned c = 0; c < 256; ++c) {
        glue[c] = 1;
        if (kClasses[c] == small || kClasses[c] == big || kClasses[c] == high) glue[c] = 2;
        if (kClasses[c] == number) glue[c] = 3;
        if (kClasses[c] == blank || c == 0) glue[c] = 0;
        if (kClasses[c] == newline) glue[c] = 4;
    }
    constexpr std::string_view kMarks = ".,:/@-\"'([=";
    for (std::size_t i = 0; i < kMarks.size(); ++i)
        glue[static_cast<unsigned char>(kMarks[i])] = static_cast<std::uint8_t>(5 + i);
    return glue;
}();

// What a small word is in a name, as kJoins and kStreet.
class SmallWords {
  public:
    consteval SmallWords() {
        for (const char* word :
             {"of",  "and", "the", "for", "de",    "la",  "del",   "van",   "von", "der",        "den", "di",
              "da",  "do",  "dos", "du",  "des",   "y",   "e",     "et",    "und", "f\xC3\xBCr", "le",  "al",
              "ter", "bin", "z",   "o",   "i",     "a",   "las",   "los",   "das", "zur",        "zum", "am",
              "an",  "auf", "l",   "d",   "delle", "dei", "della", "dello", "c",   "s",          "upon"})
            put(hash_of_word(word), kJoins);
        for (const char* word : {"rue", "calle", "via", "ul", "avenue", "avenida", "rua", "av", "boulevard", "place",
                                 "plaza", "paseo", "chemin", "piazza", "viale", "corso", "carrer"})
            put(hash_of_word(word), kStreet);
    }
    unsigned of(std::uint32_t word) const {
        for (std::size_t at = word % kSlots; words_[at] != 0; at = (at + 1) % kSlots)
            if (words_[at] == word) return kinds_[at];
        return 0;
    }

  private:
    consteval void put(std::uint32_t word, unsigned kind) {
        std::size_t at = word % kSlots;
        while (words_[at] != 0) at = (at + 1) % kSlots;
        words_[at] = word;
        kinds_[at] = static_cast<std::uint8_t>(kind);
    }
    static constexpr std::size_t kSlots = 256;
    std::array<std::uint32_t, kSlots> words_{};
    std::array<std::uint8_t, kSlots> kinds_{};
};
constexpr SmallWords kSmallWords;

class Reader {
  public:
    Reader(std::string_view text, std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

    std::size_t read(std::size_t at) {
        while (at < text_.size() && tokens_.size() < kMostTokens) {
            switch (class_at(at)) {
                case blank:
                    ++at;
                    break;
                case newline: {
                    const std::size_t begin = at;
                    unsigned lines = 0;
                    for (; at < text_.size() && (class_at(at) == newline || class_at(at) == blank); ++at)
                        lines += text_[at] == '\n';
                    if (lines > 1 && !tokens_.empty()) return at;
                    plain(begin, begin + 1, Shape::line);
                    break;
                }
                case small:
                case big:
                    at = word(at);
                    break;
                case number:
                    at = digits(at);
                    break;
                case high:
                    at = mark_size(at) > 0 ? plain(at, at + mark_size(at), Shape::mark) : word(at);
                    break;
                default:
                    at = plain(at, at + 1, Shape::mark);
            }
        }
        return at;
    }

  private:
    unsigned char byte(std::size_t at) const {
        return at < text_.size() ? static_cast<unsigned char>(text_[at]) : std::uint8_t{0};
    }
    Class class_at(std::size_t at) const { return kClasses[byte(at)]; }

    // The bytes of a mark beyond ASCII: Latin-1's signs, general punctuation; 0 for letters.
    std::size_t mark_size(std::size_t at) const {
        if (byte(at) == 0xC2) return std::min<std::size_t>(2, text_.size() - at);
        if (byte(at) == 0xE2 && (byte(at + 1) == 0x80 || byte(at + 1) == 0x82))
            return std::min<std::size_t>(3, text_.size() - at);
        return 0;
    }
    bool letter(std::size_t at) const {
        const Class c = class_at(at);
        return c == small || c == big || (c == high && mark_size(at) == 0);
    }
    // An apostrophe, as ASCII or U+2019; its bytes.
    std::size_t apostrophe(std::size_t at) const {
        if (byte(at) == '\'') return 1;
        return byte(at) == 0xE2 && byte(at + 1) == 0x80 && byte(at + 2) == 0x99 ? 3 : 0;
    }
    bool possessive(std::size_t at) const { return (byte(at) | 0x20) == 's' && !letter(at + 1); }

    std::size_t word(std::size_t begin) {
        std::size_t at = begin;
        std::uint32_t value = 0x811C9DC5U;
        unsigned bigs = 0, smalls = 0, dots = 0, marks = 0;
        bool first_big = false, code = false;
        const auto take = [&](unsigned char c) {
            value = (value ^ c) * 0x01000193U;
            ++at;
        };
        while (at < text_.size()) {
            const unsigned char c = byte(at);
            const Class kind = kClasses[c];
            if (kind == small) {
                ++smalls;
                take(c);
            } else if (kind == big) {
                first_big |= at == begin;
                ++bigs;
                take(static_cast<unsigned char>(c + 0x20));
            } else if (kind == high) {
                if (const std::size_t mark = apostrophe(at); mark == 3 && letter(at + 3) && !possessive(at + 3)) {
                    value = (value ^ '\'') * 0x01000193U;
                    at += 3;
                    continue;
                }
                if (mark_size(at) > 0) break;
                at = letters_beyond_ascii(at, at == begin, value, bigs, smalls, first_big);
            } else if (kind == number || kind == under) {
                code = true;
                take(c);
            } else if ((c == '-' || c == '\'') && letter(at + 1) && !(c == '\'' && possessive(at + 1))) {
                ++marks;
                take(c);
            } else if (c == '.' && bigs == dots + 1 && smalls == 0 && class_at(at + 1) == big &&
                       class_at(at + 2) != small) {
                ++dots;
                take(c);
            } else {
                break;
            }
        }
        Token token = span(begin, at, value, Shape::lower);
        if (code)  // "AL10", "D02": parts of postcodes
            token.shape = smalls == 0 && bigs > 0 && at - begin <= 4 ? Shape::ordinal : Shape::identifier;
        else if (dots > 0)
            token.shape = Shape::dotted;
        else if (bigs == 1 && smalls == 0 && marks == 0)
            token.shape = Shape::initial;
        else if (bigs > 0 && smalls == 0)
            token.shape = Shape::capitals;
        else if (first_big)
            token.shape = bigs == 1 || marks > 0 ? Shape::title : Shape::mixed;
        else if (bigs > 0)
            token.shape = marks > 0 ? Shape::title : Shape::mixed;
        token.kinds = static_cast<std::uint8_t>(token.shape != Shape::lower ? kinds_of_hash(value)
                                                                            : kinds_of_small(value, at - begin));
        if (marks > 0) token.kinds = static_cast<std::uint8_t>(token.kinds | kinds_of_parts(begin, at));
        tokens_.push_back(token);
        return at;
    }

    // One character of more than a byte. Capitals of Latin-1, Latin Extended-A (the even code points of U+0100 to
    // U+017E), Greek and Cyrillic are known.
    std::size_t letters_beyond_ascii(std::size_t at, bool first, std::uint32_t& value, unsigned& bigs, unsigned& smalls,
                                     bool& first_big) const {
        const unsigned char c = byte(at), next = byte(at + 1);
        bool large = false;
        unsigned char folded = next;
        if (c == 0xC3 && next >= 0x80 && next <= 0x9E && next != 0x97) {
            large = true;
            folded = static_cast<unsigned char>(next + 0x20);
        } else if (c == 0xC4 || c == 0xC5) {
            large = (next & 1U) == (c == 0xC5 && next >= 0xB9 && next <= 0xBE ? 1U : 0U);
        } else {
            large = (c == 0xCE && next >= 0x86 && next <= 0xA9) || (c == 0xD0 && next <= 0xAF);
        }
        (large ? bigs : smalls) += 1;
        first_big |= first && large;
        value = (value ^ c) * 0x01000193U;
        ++at;
        while (at < text_.size() && (byte(at) & 0xC0U) == 0x80) {
            value = (value ^ folded) * 0x01000193U;
            ++at;
            folded = byte(at);
        }
        return at;
    }

    // Places are written small too; other kinds of names are words of the language too often.
    static unsigned kinds_of_small(std::uint32_t word, std::size_t size) {
        if (size <= 9)
            if (const unsigned kind = kSmallWords.of(word); kind != 0) return kind;
        return size > 3 && may_be_place(word) &&
                       (kinds_of_hash(word) & (kPlaceName | kLastName | kCommonWord)) == kPlaceName
                   ? kPlaceName
                   : 0U;
    }

    unsigned kinds_of_parts(std::size_t begin, std::size_t end) const {
        const auto word = text_.substr(begin, end - begin);
        const auto cut = word.find_first_of("-'");
        if (cut == std::string_view::npos || cut + 1 >= word.size()) return 0;
        const unsigned last = kinds_of_hash(hash_of_word(word.substr(cut + 1)));
        if (cut == 1) return last & kLastName;  // "O'Brien"
        return kinds_of_hash(hash_of_word(word.substr(0, cut))) & last & (kFirstName | kLastName);
    }

    std::size_t digits(std::size_t begin) {
        std::size_t at = begin;
        while (class_at(at) == number) ++at;
        const std::size_t count = at - begin;
        Shape shape = count == 1 ? Shape::digit : count <= 3 ? Shape::digits : count == 4 ? Shape::year : Shape::number;
        if (letter(at) || byte(at) == '_') {
            while (letter(at) || class_at(at) == number || byte(at) == '_') ++at;
            shape = at - begin > 8 ? Shape::identifier : Shape::ordinal;
        }
        return plain(begin, at, shape);
    }

    std::size_t plain(std::size_t begin, std::size_t end, Shape shape) {
        const auto value = shape == Shape::mark
                               ? hash_of_word(text_.substr(begin, end - begin))
                               : 0x9E3779B9U * static_cast<std::uint32_t>(static_cast<unsigned>(shape) * 16 +
                                                                          std::min<std::size_t>(end - begin, 15));
        tokens_.push_back(span(begin, end, value, shape));
        return end;
    }

    Token span(std::size_t begin, std::size_t end, std::uint32_t value, Shape shape) const {
        Token token{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), value, 0, 0, shape, 0, 0};
        const std::size_t size = std::min<std::size_t>(4, end - begin);
        for (std::size_t i = 0; i < size; ++i) {
            token.head = token.head << 8U | (byte(begin + i) | 0x20U);
            token.tail |= static_cast<std::uint32_t>(byte(end - 1 - i) | 0x20U) << (8 * i);
        }
        token.head <<= 8 * (4 - size);
        token.glue = static_cast<std::uint8_t>((begin == 0 ? 4 : kGlue[byte(begin - 1)]) << 4U | kGlue[byte(end)]);
        return token;
    }

    std::string_view text_;
    std::vector<Token>& tokens_;
};

}  // namespace

std::size_t read_tokens(std::string_view text, std::size_t at, std::vector<Token>& tokens) {
    return Reader(text, tokens).read(at);
}

namespace {

// Glued to what makes it a part of code, of a path or of a handle. The numbers: kGlue.
bool is_code(const Token& token) {
    constexpr unsigned kBefore = 1U << 2U | 1U << 3U | 1U << 5U | 1U << 8U | 1U << 9U,
                       kBehind = 1U << 9U | 1U << 13U | 1U << 14U | 1U << 15U;
    return ((kBefore >> (token.glue >> 4U)) & 1U) != 0 || ((kBehind >> (token.glue & 15U)) & 1U) != 0;
}
// What may be a name by itself.
bool begins(const Token& token) {
    return (token.capital() && !is_code(token)) ||
           (token.shape == Shape::lower && (token.kinds & (kPlaceName | kStreet)) != 0);
}
// What may stand within a name between its words.
bool goes_on(const Token& token) {
    constexpr std::string_view kMarks = ",.-&/'#+";
    if (begins(token) || token.numeric() || token.joins() || token.shape == Shape::line) return true;
    return token.shape == Shape::mark &&
           (token.end - token.begin > 1 || kMarks.contains(static_cast<char>(token.head >> 24U)));
}
// A capital that is one for the sentence's sake: "The".
bool says_nothing(const Token& token) {
    return token.shape == Shape::title &&
           (token.kinds & (kFirstName | kLastName | kPlaceName | kCommonWord)) == kCommonWord;
}

}  // namespace

void find_zones(const std::vector<Token>& tokens, std::vector<Zone>& zones) {
    const std::size_t n = tokens.size();
    for (std::size_t i = 0; i < n; ++i) {
        if (!begins(tokens[i]) && !tokens[i].numeric()) continue;
        const bool street = (tokens[i].kinds & kStreet) != 0;
        std::size_t end = i, last = i, names = 0;
        unsigned small = street ? 3 : 0;  // words that may follow that of a street
        for (; end < n; ++end) {
            if (!goes_on(tokens[end])) {
                if (small == 0 || tokens[end].shape != Shape::lower) break;
                --small;
            }
            if (begins(tokens[end]) || tokens[end].numeric()) last = end;
            names += begins(tokens[end]) && !says_nothing(tokens[end]);
        }
        if (names > 0 && !(street && last == i)) zones.push_back({i, last + 1});
        i = last;
    }
}

}  // namespace tandem::privacy
