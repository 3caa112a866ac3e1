// The words of a query as the index knows them. Private to search/.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/lexical/score.h"
#include "retrieval/search/query.h"
#include "retrieval/search/search.h"

namespace tandem::retrieval {

struct QueryWords {
    std::vector<AskedWord> asked;
    std::vector<WordExplained> explained;  // those of `asked` first, in their order
};

// `languages`: those of the documents that are asked.
QueryWords words_of(const Query& query, std::span<const Language> languages);

// Whether the text has the phrase: its words, one behind the other.
bool has_phrase(std::string_view text, std::string_view phrase);

// The piece of a text that has most of the words, in one line.
std::string snippet_of(std::string_view text, const QueryWords& words, std::span<const Language> languages);

}  // namespace tandem::retrieval
