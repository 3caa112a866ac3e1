#include "tools/settle.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json_mend.h"
#include "base/text.h"
#include "schema/number.h"
#include "tools/loose_json.h"

namespace tandem::tools {

namespace {

using json::Kind;
using json::Value;

// The one type that a schema names, beside null; empty: none, or several.
std::string_view only_type(const Value& schema) {
    const auto type = schema["type"];
    if (type.string()) return type.text();
    std::string_view only;
    for (const auto one : type.children()) {
        if (one.text() == "null") continue;
        if (!only.empty()) return {};
        only = one.text();
    }
    return only;
}

bool any_of(const Value& value, const auto& holds) {
    for (const auto child : value.children())
        if (holds(child)) return true;
    return false;
}

bool takes_null(const Value& schema) {
    const auto type = schema["type"];
    if (!type.exists() || schema["nullable"].boolean() == true || type.text() == "null") return true;
    return any_of(type, [](const Value& one) { return one.text() == "null"; });
}

bool is_required(const Value& schema, std::string_view name) {
    return any_of(schema["required"], [&](const Value& one) { return one.text() == name; });
}

// A text that is this value as JSON writes it, so that nothing is lost.
bool says(std::string_view text, std::string_view type) {
    json::Document document;
    if (!document.parse("[" + std::string(text) + "]") || document.root().size() != 1) return false;
    const auto value = *json::begin(document.root().children());
    if (value.raw() != trim(text)) return false;
    if (type == "integer") {
        const auto number = schema::decimal(value.text());
        return value.is(Kind::number) && number && number->whole();
    }
    if (type == "number") return value.is(Kind::number);
    if (type == "boolean") return value.is(Kind::boolean);
    if (type == "object") return value.is(Kind::object);
    return type == "array" && value.is(Kind::array);
}

class Caster {
  public:
    explicit Caster(std::vector<std::string>& repairs) : repairs_(repairs) {}

    void write(const Value& value, const Value& schema, std::string_view name, json::Writer& out) {
        const auto type = only_type(schema);
        if (value.is(Kind::string) && !type.empty() && type != "string" && says(value.text(), type)) {
            note(fmt::format("the text of '{}' became {}", printable(name), type == "array" ? "a list" : type));
            out.raw(trim(value.text()));
        } else if (type == "string" && (value.is(Kind::number) || value.is(Kind::boolean))) {
            note(fmt::format("the {} of '{}' became a text", value.is(Kind::number) ? "number" : "word",
                             printable(name)));
            out.value(value.raw());
        } else if (value.is(Kind::object) && schema["properties"].is(Kind::object)) {
            members(value, schema, out);
        } else if (value.is(Kind::array) && schema["items"].is(Kind::object)) {
            out.begin_array();
            for (const auto element : value.children()) write(element, schema["items"], name, out);
            out.end_array();
        } else {
            out.raw(value.raw());
        }
    }

  private:
    void note(std::string text) {
        if (std::ranges::find(repairs_, text) == repairs_.end()) repairs_.push_back(std::move(text));
    }

    void members(const Value& value, const Value& schema, json::Writer& out) {
        out.begin_object();
        for (const auto member : value.children()) {
            const auto key = member.key();
            const auto wanted = schema["properties"][key];
            if (member.is_null() && wanted.exists() && !takes_null(wanted) && !is_required(schema, key)) {
                note(fmt::format("'{}', which was null, was left out", printable(key)));
                continue;
            }
            out.key(key);
            write(member, wanted, key, out);
        }
        out.end_object();
    }

    std::vector<std::string>& repairs_;
};

}  // namespace

Settled settle(const Offer& offer, std::string_view name, std::string_view arguments) {
    Settled settled{std::string(arguments), {}, {}};
    json::Document document;
    if (trim(arguments).empty()) settled.arguments = "{}";
    auto parsed = document.parse(settled.arguments);
    if (!parsed)
        if (auto mended = json::mended(settled.arguments); (parsed = document.parse(mended))) {
            settled.arguments = std::move(mended);
            settled.repairs.emplace_back("a half of a character became U+FFFD, or a control character its escape");
        }
    if (!parsed || !document.root().is(Kind::object)) {
        auto loose = loose_json(settled.arguments, true);
        const bool whole = loose && trim(std::string_view(settled.arguments).substr(loose->size)).empty();
        if (!whole || !document.parse(loose->json) || !document.root().is(Kind::object)) {
            settled.wrong = "the arguments are no JSON object";
            return settled;
        }
        settled.arguments = std::move(loose->json);
        settled.repairs = std::move(loose->repairs);
    }
    const auto* const schema = offer.schema(name);
    if (schema == nullptr) return settled;
    auto verdict = schema->check(document.root());
    if (!verdict.invalid()) return settled;
    std::vector<std::string> casts;
    json::Writer out;
    Caster(casts).write(document.root(), offer.parameters(name), name, out);
    json::Document cast;
    if (!casts.empty() && cast.parse(out.text())) {
        auto second = schema->check(cast.root());
        if (!second.invalid()) {
            settled.arguments = out.take();
            std::ranges::move(casts, std::back_inserter(settled.repairs));
            return settled;
        }
    }
    settled.wrong = verdict.text();
    return settled;
}

}  // namespace tandem::tools
