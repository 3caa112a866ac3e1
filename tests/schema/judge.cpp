// Schemas and values from outside, judged: a line of JSON in, {"schema": ..., "known": {URI: text}, "values": [...]}; a
// line out, {"verdicts": ["valid", "invalid", "unknown"], "unchecked": [...]} or {"error": "..."}. For the official
// test suite and for schemas of real tools, which tests/schema/suite_test.py brings.
#include <iostream>

#include "schema/schema.h"

namespace json = tandem::json;
namespace schema = tandem::schema;

namespace {

std::string_view name_of(schema::Verdict::Kind kind) {
    constexpr std::string_view kNames[] = {"valid", "invalid", "unknown"};
    return kNames[static_cast<std::size_t>(kind)];
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
    return out.end_array().end_object().take();
}

}  // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) std::cout << judge(line) << std::endl;
}
