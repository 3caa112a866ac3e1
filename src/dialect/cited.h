// Sources of an answer in the words of each dialect that has such. Private to dialect/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "chat/conversation.h"

namespace tandem::dialect {

// Writes the members of an object of OpenAI's kind url_citation: start_index, end_index, url, title. `text` is all that
// was said; places in it are counted in characters, as OpenAI's clients do.
void write_url_citation(json::Writer& out, std::string_view text, const chat::Citation& citation);

// A piece of an answer's text, in bytes, and what it comes from.
struct Grounded {
    std::size_t begin = 0, end = 0;
    std::string text;
    chat::Source source;
};
// Writes Gemini's groundingMetadata, as a member: each source once, as a retrievedContext.
void write_grounding(json::Writer& out, const std::vector<Grounded>& pieces);

// Writes one citation as Anthropic says where in a search result it stands (search_result_location).
void write_search_result_location(json::Writer& out, const chat::Source& source);

}  // namespace tandem::dialect
