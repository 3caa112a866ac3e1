// What the checks of several families need. Private to patterns/.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::privacy {

constexpr bool digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool word(char c) {
    return digit(c) || letter(c) || c == '_';
}
constexpr char lower(char c) {
    return upper(c) ? static_cast<char>(c + 32) : c;
}

// Bytes that checks of this thread have looked at, roughly: what hostile texts must not make grow faster than they are.
inline constinit thread_local std::uint64_t work_done = 0;
inline void work(std::size_t bytes) {
    work_done += bytes;
}

inline bool starts_word(std::string_view text, std::size_t begin) {
    return begin == 0 || !word(text[begin - 1]);
}
inline bool ends_word(std::string_view text, std::size_t end) {
    return end >= text.size() || !word(text[end]);
}

// Whether one of the words begins within `before` bytes in front of `begin` or `after` bytes behind `end`. Words are
// lower-case and begin at a word's beginning; what follows them is free ("passport" finds "passports").
bool near(std::string_view text, std::size_t begin, std::size_t end, std::initializer_list<std::string_view> words,
          std::size_t before = 60, std::size_t after = 20);

// Whether `text` begins with `word`, which is in small letters. Capitals count as small letters.
inline bool begins_with(std::string_view text, std::string_view word) {
    if (word.size() > text.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i)
        if (lower(text[i]) != word[i]) return false;
    return true;
}

// Words that are looked for together, in small letters: a text is gone through once, not once for each word.
class Words {
  public:
    Words(std::initializer_list<std::string_view> words) : words_(words) {
        words_.insert(words_.begin(), std::string_view());
        next_.resize(words_.size());
        for (std::size_t i = 1; i < words_.size(); ++i) {
            auto& first = first_[pair(words_[i][0], words_[i][1])];
            next_[i] = first;
            first = static_cast<std::uint8_t>(i);
        }
    }
    // Whether one of them is in `text`. Capitals count as small letters.
    bool in(std::string_view text) const {
        work(text.size());
        if (text.empty()) return false;
        char c = lower(text[0]);
        for (std::size_t at = 0; at + 1 < text.size(); ++at) {
            const char behind = lower(text[at + 1]);
            for (auto i = first_[pair(c, behind)]; i != 0; i = next_[i])
                if (begins_with(text.substr(at), words_[i])) return true;
            c = behind;
        }
        return false;
    }

  private:
    static std::size_t pair(char a, char b) {
        return (static_cast<unsigned char>(a) * 67U + static_cast<unsigned char>(b)) & 1023U;
    }
    std::vector<std::string_view> words_;     // the first is none
    std::array<std::uint8_t, 1024> first_{};  // by the pair of a word's first two bytes; 0: none
    std::vector<std::uint8_t> next_;          // with the same pair
};

// Shannon's entropy of the bytes, in bits a byte.
double entropy(std::string_view value);

// Something that stands where a secret would: "your-key-here", "xxxxxxxx", "${KEY}", "<token>".
bool is_placeholder(std::string_view value);

// The digit sums that identification numbers use. `digits` holds '0' to '9' only.
bool luhn(std::string_view digits);                                         // ISO/IEC 7812-1, Annex B
bool verhoeff(std::string_view digits);                                     // J. Verhoeff, 1969
bool iso7064_mod11_10(std::string_view digits);                             // ISO/IEC 7064, MOD 11,10
int weighted(std::string_view digits, std::initializer_list<int> weights);  // sum of digit times weight
std::uint64_t modulo(std::string_view digits, std::uint64_t divisor);

}  // namespace tandem::privacy
