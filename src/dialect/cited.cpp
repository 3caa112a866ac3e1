#include "dialect/cited.h"

#include <algorithm>

#include "base/utf8.h"

namespace tandem::dialect {

void write_url_citation(json::Writer& out, std::string_view text, const chat::Citation& citation) {
    const auto begin = characters_in(text.substr(0, citation.begin));
    out.member("start_index", begin);
    out.member("end_index", begin + characters_in(text.substr(citation.begin, citation.end - citation.begin)));
    out.member("url", citation.source.url()).member("title", citation.source.name());
}

void write_grounding(json::Writer& out, const std::vector<Grounded>& pieces) {
    std::vector<std::int64_t> numbers;  // of the sources, in their order
    out.key("groundingMetadata").begin_object().key("groundingChunks").begin_array();
    for (const auto& piece : pieces) {
        if (std::ranges::find(numbers, piece.source.number) != numbers.end()) continue;
        numbers.push_back(piece.source.number);
        out.begin_object().key("retrievedContext").begin_object().member("uri", piece.source.url());
        out.member("title", piece.source.name()).member("text", piece.source.text).end_object().end_object();
    }
    out.end_array().key("groundingSupports").begin_array();
    for (const auto& piece : pieces) {
        out.begin_object().key("segment").begin_object().member("startIndex", piece.begin);
        out.member("endIndex", piece.end).member("text", piece.text).end_object();
        const auto place = std::ranges::find(numbers, piece.source.number) - numbers.begin();
        out.key("groundingChunkIndices").begin_array().value(static_cast<std::int64_t>(place)).end_array().end_object();
    }
    out.end_array().end_object();
}

void write_search_result_location(json::Writer& out, const chat::Source& source) {
    out.begin_object().member("type", "search_result_location").member("cited_text", source.text);
    out.member("source", source.url()).member("title", source.name());
    out.member("search_result_index", source.number - 1).member("start_block_index", 0).member("end_block_index", 1);
    out.end_object();
}

}  // namespace tandem::dialect
