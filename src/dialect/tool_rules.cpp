#include "dialect/tool_rules.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/hash.h"
#include "base/json.h"
#include "dialect/fields.h"

namespace tandem::dialect {

namespace {

using json::Value;

constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
constexpr std::string_view kGemini = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:";
constexpr std::size_t kDigest = 8;  // of a name that was changed, so that no two become one

struct Rules {
    std::string_view characters;  // of names; empty: any
    std::size_t longest = 0;
    bool letter_first = false;
    std::string_view id_characters;  // empty: any
    std::size_t longest_id = 0;      // 0: any
    bool needs_parameters = false;   // a function without any is refused too
};

Rules rules_of(Speaker target) {
    switch (target) {
        case Speaker::openai_chat:
            return {kPlain, 64, false, {}, 40, false};
        case Speaker::openai_responses:
            return {kPlain, 64, false, {}, 64, false};
        case Speaker::anthropic:
            return {kPlain, 128, false, kPlain, 128, true};
        case Speaker::gemini:
            return {kGemini, 64, true, {}, 0, false};
        case Speaker::llama_server:
            return {{}, 0, false, {}, 0, true};
        case Speaker::ollama:
            break;
    }
    return {};
}

bool starts_well(const std::string& name) {
    const char c = name.empty() ? '0' : name.front();
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool fits(const std::string& name, const Rules& rules) {
    if (rules.characters.empty()) return true;
    return !name.empty() && name.size() <= rules.longest && (!rules.letter_first || starts_well(name)) &&
           name.find_first_not_of(rules.characters) == std::string::npos;
}

bool id_fits(const std::string& id, const Rules& rules) {
    return (rules.longest_id == 0 || id.size() <= rules.longest_id) &&
           (rules.id_characters.empty() || id.find_first_not_of(rules.id_characters) == std::string::npos);
}

// `name` as near as the rules let it be, and none of `taken`.
std::string near_to(const std::string& name, const Rules& rules, const std::set<std::string>& taken) {
    std::string plain;
    for (const char c : name) plain += rules.characters.find(c) == std::string_view::npos ? '_' : c;
    if (rules.letter_first && !starts_well(plain)) plain.insert(0, "_");
    if (plain.size() <= rules.longest && !plain.empty() && !taken.contains(plain)) return plain;
    plain.resize(std::min(plain.size(), rules.longest - kDigest - 1));
    // A digest that somebody else's name has already is no digest.
    auto digest = hex(sha256(name));
    while (taken.contains(plain + "_" + digest.substr(0, kDigest))) digest = hex(sha256(digest));
    return plain + "_" + digest.substr(0, kDigest);
}

constexpr std::string_view kNoArguments = R"({"type":"object","properties":{}})";

// A keyword that says nothing: some clients write one that they have no value for as null.
bool is_nothing(const Value& member) {
    static constexpr std::array kKeywords =
        std::to_array<std::string_view>({"required", "properties", "items", "enum", "description", "title", "type",
                                         "format", "additionalProperties", "anyOf", "oneOf", "allOf"});
    return member.is_null() && std::ranges::find(kKeywords, member.key()) != kKeywords.end();
}

// What stands at a keyword of a schema: anything else than schemas (enum, const, default, examples, what nobody knows)
// is data, in which nothing is put right (JSON Schema 2020-12, Core, section 10).
enum class Holds { data, schemas, named_schemas };
Holds what_holds(std::string_view keyword) {
    static constexpr auto kSchemas = std::to_array<std::string_view>(
        {"items", "prefixItems", "additionalItems", "additionalProperties", "unevaluatedItems", "unevaluatedProperties",
         "contains", "propertyNames", "anyOf", "oneOf", "allOf", "not", "if", "then", "else"});
    static constexpr auto kNamed = std::to_array<std::string_view>(
        {"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"});
    if (std::ranges::find(kSchemas, keyword) != kSchemas.end()) return Holds::schemas;
    return std::ranges::find(kNamed, keyword) != kNamed.end() ? Holds::named_schemas : Holds::data;
}

// "array", alone or among the types.
bool is_of_arrays(const Value& type) {
    if (type.text() == "array") return true;
    for (const Value one : type.children())
        if (one.text() == "array") return true;
    return false;
}
bool lacks_items(const Value& schema) {
    return is_of_arrays(schema["type"]) && !given(schema["items"]) && !given(schema["prefixItems"]);
}

// An array says what is in it, and no keyword is null, at any depth. `schema`: one, or a list of some.
bool is_lacking(const Value& schema) {
    if (schema.is(json::Kind::array)) {
        for (const Value one : schema.children())
            if (is_lacking(one)) return true;
        return false;
    }
    if (!schema.is(json::Kind::object)) return false;
    if (lacks_items(schema)) return true;
    for (const Value member : schema.children()) {
        if (is_nothing(member)) return true;
        const auto holds = what_holds(member.key());
        if (holds == Holds::schemas && is_lacking(member)) return true;
        if (holds == Holds::named_schemas && member.is(json::Kind::object))
            for (const Value named : member.children())
                if (is_lacking(named)) return true;
    }
    return false;
}

void write_with_items(json::Writer& out, const Value& schema);

// A keyword's value.
void write_member(json::Writer& out, const Value& member) {
    out.key(member.key());
    const auto holds = what_holds(member.key());
    if (holds == Holds::schemas) return write_with_items(out, member);
    if (holds == Holds::data || !member.is(json::Kind::object)) {
        out.raw(member.raw());
        return;
    }
    out.begin_object();
    for (const Value named : member.children()) write_with_items(out.key(named.key()), named);
    out.end_object();
}

void write_with_items(json::Writer& out, const Value& schema) {
    if (schema.is(json::Kind::array)) {
        out.begin_array();
        for (const Value element : schema.children()) write_with_items(out, element);
        out.end_array();
    } else if (schema.is(json::Kind::object)) {
        const bool lacks = lacks_items(schema);
        out.begin_object();
        for (const Value member : schema.children())
            if ((!lacks || member.key() != "items") && !is_nothing(member)) write_member(out, member);
        if (lacks) out.key("items").begin_object().end_object();
        out.end_object();
    } else {
        out.raw(schema.raw());
    }
}

// The schema with what every target wants of one; empty where it has that.
std::string filled(const chat::Raw& schema) {
    json::Document document;
    if (!schema.given() || !document.parse(schema.json) || !document.root().is(json::Kind::object))
        return std::string(kNoArguments);
    const Value root = document.root();
    const bool typed = root["type"].text() == "object";
    const bool listed = root["properties"].is(json::Kind::object);
    const bool items = is_lacking(root);
    if (typed && listed && !items) return {};
    json::Writer out;
    out.begin_object();
    if (!typed) out.member("type", "object");
    for (const Value member : root.children()) {
        if ((member.key() == "type" && !typed) || (member.key() == "properties" && !listed) || is_nothing(member))
            continue;
        write_member(out, member);
    }
    if (!listed) out.key("properties").begin_object().end_object();
    out.end_object();
    return out.take();
}

bool is_function(const chat::Tool& tool) {
    return tool.kind == chat::Tool::Kind::function;
}

// Every name and every id of calls in the history.
template <typename Name, typename Id>
void each_call(chat::Request& request, Name&& name, Id&& id) {
    for (auto& message : request.messages)
        for (auto& part : message.parts) {
            if (auto* call = part.as<chat::ToolCallPart>()) {
                name(call->name);
                id(call->id);
            } else if (auto* result = part.as<chat::ToolResultPart>()) {
                if (!result->name.empty()) name(result->name);
                id(result->call_id);
            }
        }
}

}  // namespace

bool breaks_tool_rules(const chat::Request& request, Speaker target) {
    const auto rules = rules_of(target);
    for (const auto& tool : request.tools) {
        if (tool.kind != chat::Tool::Kind::hosted && !fits(tool.name, rules)) return true;
        if (!is_function(tool) || target == Speaker::gemini) continue;
        if (tool.parameters.given() ? !filled(tool.parameters).empty() : rules.needs_parameters) return true;
    }
    for (const auto& message : request.messages)
        for (const auto& part : message.parts) {
            const auto* call = part.as<chat::ToolCallPart>();
            if (call != nullptr && (!fits(call->name, rules) || !id_fits(call->id, rules))) return true;
        }
    return false;
}

std::map<std::string, std::string> keep_tool_rules(chat::Request& request, Speaker target) {
    const auto rules = rules_of(target);
    std::map<std::string, std::string> changed, made;
    std::set<std::string> taken;
    for (const auto& tool : request.tools)
        if (fits(tool.name, rules)) taken.insert(tool.name);
    auto rename = [&](std::string& name) {
        if (fits(name, rules)) return;
        const auto [place, fresh] = made.try_emplace(name);
        if (fresh) {
            place->second = near_to(name, rules, taken);
            taken.insert(place->second);
            changed.emplace(place->second, name);
        }
        name = place->second;
    };
    for (auto& tool : request.tools) {
        if (tool.kind == chat::Tool::Kind::hosted) continue;
        rename(tool.name);
        if (!is_function(tool)) continue;
        // Gemini takes a function without any parameters as one.
        if (target == Speaker::gemini && !tool.parameters.given()) continue;
        if (auto schema = filled(tool.parameters); !schema.empty()) tool.parameters.json = std::move(schema);
    }
    if (request.tool_choice.kind == chat::ToolChoice::Kind::named) rename(request.tool_choice.name);
    each_call(request, rename, [&](std::string& id) {
        if (!id_fits(id, rules)) id = "call_" + hex(sha256(id)).substr(0, 24);
    });
    return changed;
}

}  // namespace tandem::dialect
