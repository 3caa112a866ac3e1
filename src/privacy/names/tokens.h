// Text as words, numbers and marks, with what each looks like. Private to names/.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace tandem::privacy {

// What the letters of a token look like.
enum class Shape : std::uint8_t {
    none,        // before the first and after the last token
    lower,       // "word"
    title,       // "Word"
    capitals,    // "WORD"
    initial,     // "W"
    dotted,      // "U.S"
    mixed,       // "McNeil", "iPhone"
    identifier,  // letters with digits or '_' between
    digit,       // one digit
    digits,      // two or three
    year,        // four
    number,      // five or more
    ordinal,     // digits with letters: "5th", "12a"; "AL10"
    mark,        // punctuation
    line,        // the end of a line
};

// Small words that stand within names ("of", "van"), and that begin addresses ("rue").
inline constexpr unsigned kJoins = 16, kStreet = 32;

struct Token {
    std::uint32_t begin, end;  // bytes of the text
    std::uint32_t word;        // FNV-1a of the lower-case word; of the mark; of the shape, for numbers
    std::uint32_t head, tail;  // its first and last four bytes, lower-case
    Shape shape;
    std::uint8_t kinds;  // of gazetteer.h, for words; and kJoins, kStreet
    std::uint8_t glue;   // what stands in front of it without a blank, and behind it: 0 to 15, four bits each

    bool capital() const {
        return shape == Shape::title || shape == Shape::capitals || shape == Shape::initial || shape == Shape::dotted ||
               shape == Shape::mixed;
    }
    bool numeric() const { return shape >= Shape::digit && shape <= Shape::ordinal; }
    bool joins() const { return (kinds & kJoins) != 0; }
};

// At most so many tokens are looked at together; a longer paragraph is cut.
inline constexpr std::size_t kMostTokens = 2048;

// Reads tokens from `at` to the end of a paragraph (an empty line), or kMostTokens of them, into `tokens`. Gives where
// to go on; text.size() at the end. Linear.
std::size_t read_tokens(std::string_view text, std::size_t at, std::vector<Token>& tokens);

// Tokens that may belong to names, and those between them: [begin, end).
struct Zone {
    std::size_t begin, end;
};
void find_zones(const std::vector<Token>& tokens, std::vector<Zone>& zones);

// FNV-1a of `word` as tokens have it. Letters of ASCII and Latin-1 are folded.
constexpr std::uint32_t hash_of_word(std::string_view word) {
    std::uint32_t value = 0x811C9DC5U;
    unsigned char before = 0;
    for (const char c : word) {
        auto byte = static_cast<unsigned char>(c);
        if ((byte >= 'A' && byte <= 'Z') || (before == 0xC3 && byte >= 0x80 && byte <= 0x9E && byte != 0x97))
            byte = static_cast<unsigned char>(byte + 0x20);
        value = (value ^ byte) * 0x01000193U;
        before = byte;
    }
    return value;
}

}  // namespace tandem::privacy
