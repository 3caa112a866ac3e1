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

// Words that are looked for together, in small letters: a text is gone through once, not once for each word.
class Words {
  public:
    Words(std::initializer_list<std::string_view> words) : Words(std::vector(words)) {}
    explicit Words(std::vector<std::string_view> words) : words_(std::move(words)) {
        for (const auto word : words_) pairs_[pair(word[0], word[1])] = true;
    }
    // Where the first of them begins in `text` from `at` on, and how long it is; npos where none is. Capitals count as
    // small letters.
    struct Place {
        std::size_t begin, size;
    };
    Place find(std::string_view text, std::size_t at = 0) const {
        work(text.size() - std::min(at, text.size()));
        for (; at + 1 < text.size(); ++at) {
            if (!pairs_[pair(text[at], text[at + 1])]) continue;
            for (const auto word : words_) {
                if (word.size() > text.size() - at) continue;
                std::size_t same = 0;
                while (same < word.size() && lower(text[at + same]) == word[same]) ++same;
                if (same == word.size()) return {at, same};
            }
        }
        return {std::string_view::npos, 0};
    }
    bool in(std::string_view text) const { return find(text).begin != std::string_view::npos; }

  private:
    static std::size_t pair(char a, char b) {
        return (static_cast<unsigned char>(lower(a)) * 67U + static_cast<unsigned char>(lower(b))) & 4095U;
    }
    std::vector<std::string_view> words_;
    std::array<bool, 4096> pairs_{};
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
