// Words of a text, as they are indexed and asked for: letters and digits in lower case, without accents after stemming.
// Scripts without blanks (Chinese, Japanese, Thai and others) become pairs of neighbouring characters.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace tandem::retrieval {

inline constexpr std::size_t kLongestWord = 48;  // bytes; a longer one is cut

// Where a word stands in the text.
struct Word {
    std::string_view text;    // lower case, UTF-8; valid during the call
    std::size_t begin, end;   // bytes of the text
    bool part = false;        // also a part of the word before it (`parse` of `parseJson`): no word of a phrase
    bool whole_only = false;  // not to be stemmed: it has digits, or is no word of a language
};

// Calls visit for each word in order. `C++` and `C#` are words; an apostrophe within a word is left out; names such as
// snake_case and camelCase give their parts, camelCase also the whole.
void each_word(std::string_view text, const std::function<void(const Word&)>& visit);

// Whether the character belongs to a script that writes without blanks.
bool is_unspaced(char32_t point);

}  // namespace tandem::retrieval
