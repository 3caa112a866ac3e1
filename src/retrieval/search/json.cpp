#include "retrieval/search/json.h"

#include <fmt/format.h>

#include "base/json.h"

namespace tandem::retrieval {

namespace {

void write_number(json::Writer& out, std::string_view name, float value) {
    out.raw_member(name, fmt::format("{:.4f}", value));
}

// null, where the format has none.
void write_place(json::Writer& out, std::string_view name, std::int64_t value) {
    if (value == 0)
        out.key(name).null();
    else
        out.member(name, value);
}

void write_hit(json::Writer& out, const Hit& hit, bool explain) {
    out.begin_object().member("path", hit.path).member("collection", hit.collection);
    out.member("label", name_of(hit.label));
    write_number(out, "score", hit.score);
    write_place(out, "start_line", hit.first_line);
    write_place(out, "end_line", hit.last_line);
    write_place(out, "page", hit.page);
    out.member("heading", hit.heading).member("snippet", hit.snippet);
    if (!hit.title.empty()) out.member("title", hit.title);
    if (hit.changed) out.member("changed", true);
    if (!hit.also.empty()) {
        out.key("also").begin_array();
        for (const auto& path : hit.also) out.value(path);
        out.end_array();
    }
    if (explain) {
        write_number(out, "document_score", hit.document_score);
        write_number(out, "chunk_score", hit.chunk_score);
    }
    out.end_object();
}

void write_word(json::Writer& out, const WordExplained& word) {
    out.begin_object().member("word", word.word);
    if (word.dropped) {
        out.member("dropped", true).end_object();
        return;
    }
    out.key("terms").begin_array();
    for (const auto& term : word.terms) out.value(term);
    out.end_array();
    if (word.excluded) {
        out.member("excluded", true).end_object();
        return;
    }
    write_number(out, "weight", word.weight);
    out.member("documents", static_cast<std::int64_t>(word.count.documents));
    out.member("chunks", static_cast<std::int64_t>(word.count.chunks));
    write_number(out, "document_idf", word.count.document_idf);
    write_number(out, "chunk_idf", word.count.chunk_idf);
    out.end_object();
}

void write_explained(json::Writer& out, const Explained& e) {
    const auto count = [&](std::string_view name, std::uint64_t value) {
        out.member(name, static_cast<std::int64_t>(value));
    };
    out.begin_object().key("words").begin_array();
    for (const auto& word : e.words) write_word(out, word);
    out.end_array();
    count("documents", e.documents);
    count("chunks", e.chunks);
    count("matched", e.matched);
    out.key("left_out").begin_object();
    count("by_path", e.left_out_by_path);
    count("by_type", e.left_out_by_type);
    count("by_time", e.left_out_by_time);
    count("without_phrase", e.without_phrase);
    count("gone", e.gone);
    count("same_text", e.same);
    out.end_object().key("weights").begin_object();
    write_number(out, "k1", kWeights.k1);
    write_number(out, "b", kWeights.b);
    write_number(out, "chunk_share", kWeights.chunk_share);
    out.end_object().end_object();
}

}  // namespace

std::string to_json(const Found& found, bool explain) {
    json::Writer out;
    out.begin_object().key("hits").begin_array();
    for (const auto& hit : found.hits) write_hit(out, hit, explain);
    out.end_array().key("notes").begin_array();
    for (const auto& note : found.notes) out.value(note);
    out.end_array();
    if (explain) {
        out.key("explain");
        write_explained(out, found.explained);
    }
    return out.end_object().take();
}

}  // namespace tandem::retrieval
