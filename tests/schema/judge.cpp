// Schemas and values from outside, judged: a line of JSON in, {"schema": ..., "known": {URI: text}, "values": [...]}; a
// line out, {"verdicts": ["valid", "invalid", "unknown"], "unchecked": [...]} or {"error": "..."}, and what an engine
// of ours is held to where a tool has that schema: {"grammar": {"held", "relaxed", "bytes", "microseconds"}}. For the
// official test suite and for schemas of real tools, which tests/schema/suite_test.py and bench/tools/schemas.py bring.
#include <chrono>
#include <iostream>

#include "schema/schema.h"
#include "tools/hold.h"

namespace json = tandem::json;
namespace schema = tandem::schema;

namespace {

std::string_view name_of(schema::Verdict::Kind kind) {
    constexpr std::string_view kNames[] = {"valid", "invalid", "unknown"};
    return kNames[static_cast<std::size_t>(kind)];
}

void write_grammar(json::Writer& out, std::string_view parameters) {
    tandem::chat::Request request;
    tandem::chat::Tool tool;
    tool.name = "tool";
    tool.parameters.json = parameters;
    request.tools.push_back(std::move(tool));
    const auto began = std::chrono::steady_clock::now();
    const auto held = tandem::tools::hold_calls(request);
    const auto took = std::chrono::steady_clock::now() - began;
    out.key("grammar").begin_object().member("held", held.has_value());
    out.member("bytes", held ? held->grammar.size() : 0);
    out.member("microseconds", std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    out.key("relaxed").begin_array();
    if (held)
        for (const auto& keyword : held->relaxed) out.value(keyword);
    out.end_array().end_object();
}

std::string judge(const std::string& line) {
    json::Writer out;
    out.begin_object();
    json::Document document;
    if (auto ok = document.parse(line); !ok) return out.member("error", ok.error().message).end_object().take();
    schema::Schema::Known known;
    for (const auto one : document.root()["known"].children()) known[std::string(one.key())] = one.text();
    auto made = schema::Schema::compile(document.root()["schema"].raw(), known);
    if (!made) return out.member("error", made.error().message).end_object().take();
    out.key("verdicts").begin_array();
    std::vector<std::string> words;
    for (const auto value : document.root()["values"].children()) {
        const auto verdict = made->check(value);
        out.value(name_of(verdict.kind));
        words.push_back(verdict.text());
    }
    out.end_array().key("words").begin_array();
    for (const auto& one : words) out.value(one);
    out.end_array().key("unchecked").begin_array();
    for (const auto& one : made->unchecked()) out.value(one);
    out.end_array();
    write_grammar(out, document.root()["schema"].raw());
    return out.end_object().take();
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) std::cout << judge(line) << std::endl;
}
