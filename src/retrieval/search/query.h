// What somebody looks for, as they write it: words, "phrases", -not, and path: type: after: collection:. Nothing that
// is written is refused; what is no filter by its value is looked for as it stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::retrieval {

struct Query {
    struct Phrase {
        std::string text;
        bool excluded = false;
    };
    std::string words;                     // what is ranked by, phrases included
    std::vector<std::string> not_words;    // a document with one of them is no hit
    std::vector<Phrase> phrases;           // as they stand in the text
    std::vector<std::string> collections;  // one of them; empty: any
    std::vector<std::string> paths;        // a part of the path, or a glob; each must fit
    std::vector<std::string> types;        // one of them: a format's name, or an extension
    std::optional<std::int64_t> after;     // Unix ms: changed then or later
    std::vector<std::string> notes;        // what was not taken as it may have been meant
};

inline constexpr std::size_t kLongestQuery = 16'384;  // bytes; the rest is left out, with a note
// A text of more words is a sentence or more, and what looks like syntax in it is punctuation.
inline constexpr std::size_t kMostSyntaxWords = 24;

// `now_ms`: what `after:7d` counts from.
Query parse_query(std::string_view text, std::int64_t now_ms);

}  // namespace tandem::retrieval
