#include "tools/schema_grammar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tandem::tools {

using json::Kind;
using json::Value;

namespace {

constexpr std::size_t kDeepest = 48;
// llama.cpp refuses repetitions of more than 2,000 rules; each character of a text is one.
constexpr std::int64_t kMostCharacters = 500, kMostElements = 50, kMostWholeNumbers = 100;

// Rules that every grammar has. White space is bounded, so that none is written for ever.
constexpr std::pair<std::string_view, std::string_view> kBasic[] = {
    {"ws", R"(" "? | "\n" [ \t]{0,12})"},
    {"char", R"([^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F]{4}))"},
    {"string", R"("\"" char* "\"")"},
    {"whole", R"("-"? ("0" | [1-9] [0-9]{0,15}))"},
    {"number", R"(whole ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?)"},
    {"boolean", R"("true" | "false")"},
    {"null", R"("null")"},
    {"any", R"(object | array | string | number | boolean | null)"},
    {"object", R"("{" ws (string ws ":" ws any ("," ws string ws ":" ws any)*)? ws "}")"},
    {"array", R"("[" ws (any ("," ws any)*)? ws "]")"},
};

// Keywords that say something which the rules leave out.
constexpr auto kUnsaid = std::to_array<std::string_view>(
    {"pattern", "not", "if", "multipleOf", "patternProperties", "propertyNames", "minProperties", "maxProperties",
     "uniqueItems", "contains", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties",
     "unevaluatedItems", "exclusiveMinimum", "exclusiveMaximum", "$dynamicRef"});

// In a bracket, so that a character stands before whatever follows.
class Inside {
  public:
    explicit Inside(std::size_t& count) : count_(count) { ++count_; }
    ~Inside() { --count_; }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

  private:
    std::size_t& count_;
};

bool is_list(const Value& value) {
    return value.is(Kind::array) && value.size() > 0;
}

std::string join_all(const std::vector<std::string>& parts, std::string_view between) {
    return join(parts, between);
}

}  // namespace

SchemaGrammar::SchemaGrammar() {
    for (const auto& [name, body] : kBasic) rules_.emplace_back(name, body);
}

std::string SchemaGrammar::literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n')
            out += "\\n";
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\x{:02X}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + "\"";
}

std::string SchemaGrammar::rule(std::string body) {
    bytes_ += body.size() + 16;
    rules_.emplace_back(fmt::format("r-{}", rules_.size()), std::move(body));
    return rules_.back().first;
}

void SchemaGrammar::named(std::string name, std::string body) {
    bytes_ += body.size() + 16;
    rules_.emplace_back(std::move(name), std::move(body));
}

std::string SchemaGrammar::text(const std::string& root) const {
    std::string out = "root ::= " + root + "\n";
    for (const auto& [name, body] : rules_) out += name + " ::= " + body + "\n";
    return out;
}

std::string SchemaGrammar::any() {
    return "any";
}

std::string SchemaGrammar::any_object() {
    return "object";
}

std::string SchemaGrammar::add(const Value& schema) {
    root_ = schema;
    referred_.clear();
    return value(schema, 0);
}

void SchemaGrammar::relax_others(const Value& schema) {
    for (const auto keyword : kUnsaid)
        if (schema[keyword].exists()) relax(keyword);
}

std::string SchemaGrammar::value(const Value& schema, std::size_t depth) {
    if (depth > kDeepest || too_large()) {
        relax("depth");
        return "any";
    }
    if (!schema.is(Kind::object)) return "any";
    relax_others(schema);
    if (const auto ref = schema["$ref"]; ref.string()) return reference(ref.text(), depth);
    if (const auto only = schema["const"]; only.exists()) return rule(literal(only.raw()));
    if (const auto list = schema["enum"]; is_list(list)) {
        std::vector<std::string> words;
        for (const auto one : list.children()) words.push_back(literal(one.raw()));
        return rule(join_all(words, " | "));
    }
    const bool has_members = schema["properties"].is(Kind::object);
    for (const auto* keyword : {"anyOf", "oneOf"})
        if (const auto list = schema[keyword]; is_list(list)) {
            if (!has_members) return alternatives(list, depth);
            relax(keyword);  // which members go together is checked afterwards
        }
    if (const auto list = schema["allOf"]; is_list(list) && !has_members) return merged(list, depth);
    if (schema["allOf"].exists()) relax("allOf");
    const auto type = schema["type"];
    if (type.string()) {
        auto made = of_type(type.text(), schema, depth);
        return schema["nullable"].boolean() == true ? rule(made + " | null") : made;
    }
    if (is_list(type)) {
        std::vector<std::string> kinds;
        for (const auto one : type.children()) kinds.push_back(of_type(one.text(), schema, depth));
        return rule(join_all(kinds, " | "));
    }
    if (has_members || schema["required"].exists()) return object(schema, depth);
    if (schema["items"].exists() || schema["prefixItems"].exists()) return array(schema, depth);
    return "any";
}

std::string SchemaGrammar::of_type(std::string_view type, const Value& schema, std::size_t depth) {
    if (type == "object") return object(schema, depth);
    if (type == "array") return array(schema, depth);
    if (type == "string") return string(schema);
    if (type == "integer") return integer(schema);
    if (type == "boolean" || type == "null") return std::string(type);
    if (type != "number") return "any";
    for (const auto* keyword : {"minimum", "maximum"})
        if (schema[keyword].exists()) relax(keyword);
    return "number";
}

// "#/$defs/x" within the same schema. One that leads back to itself with no character between would never end.
std::string SchemaGrammar::reference(std::string_view pointer, std::size_t depth) {
    if (!pointer.starts_with('#')) {
        relax("$ref");
        return "any";
    }
    const std::string key(pointer);
    if (const auto known = referred_.find(key); known != referred_.end()) {
        if (!known->second.open || inside_ > known->second.inside) return known->second.name;
        relax("$ref");
        return "any";
    }
    Value target = root_;
    for (auto rest = pointer.substr(1); !rest.empty() && target.exists();) {
        if (!rest.starts_with('/')) {
            target = {};
            break;
        }
        rest.remove_prefix(1);
        const auto end = std::min(rest.size(), rest.find('/'));
        std::string token(rest.substr(0, end));
        for (const auto& [from, to] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}})
            for (auto at = token.find(from); at != std::string::npos; at = token.find(from, at + 1))
                token.replace(at, 2, to);
        target = target[token];
        rest.remove_prefix(end);
    }
    if (!target.exists()) {
        relax("$ref");
        return "any";
    }
    const auto name = rule("any");  // its place, filled in below
    const auto place = rules_.size() - 1;
    referred_[key] = {name, true, inside_};
    auto body = value(target, depth + 1);
    rules_[place].second = std::move(body);
    referred_[key].open = false;
    return name;
}

std::string SchemaGrammar::alternatives(const Value& list, std::size_t depth) {
    std::vector<std::string> names;
    for (const auto one : list.children()) names.push_back(value(one, depth + 1));
    return rule(join_all(names, " | "));
}

// Of schemas that all must hold, the one that says the most; the others are checked afterwards.
std::string SchemaGrammar::merged(const Value& list, std::size_t depth) {
    if (list.size() > 1) relax("allOf");
    Value best;
    for (const auto one : list.children())
        if (one.is(Kind::object) && (!best.exists() || one.raw().size() > best.raw().size())) best = one;
    return value(best, depth + 1);
}

std::string SchemaGrammar::string(const Value& schema) {
    const auto least = schema["minLength"].integer().value_or(0);
    const auto most = schema["maxLength"].integer();
    if (least > kMostCharacters) relax("minLength");
    if (most && *most > kMostCharacters) relax("maxLength");
    const auto from = least <= kMostCharacters ? std::max<std::int64_t>(0, least) : 0;
    const bool bounded = most && *most <= kMostCharacters && *most >= from;
    if (from == 0 && !bounded) return "string";
    return rule(fmt::format(R"("\"" char{{{},{}}} "\"")", from, bounded ? std::to_string(*most) : ""));
}

std::string SchemaGrammar::integer(const Value& schema) {
    const auto least = schema["minimum"].integer(), most = schema["maximum"].integer();
    if (least && most && *least <= *most && *most - *least < kMostWholeNumbers) {
        std::vector<std::string> words;
        for (auto i = *least; i <= *most; ++i) words.push_back(literal(std::to_string(i)));
        return rule(join_all(words, " | "));
    }
    if (schema["maximum"].exists()) relax("maximum");
    if (!least) {
        if (schema["minimum"].exists()) relax("minimum");
        return "whole";
    }
    if (*least > 1) relax("minimum");
    if (*least < 0) {
        relax("minimum");
        return "whole";
    }
    return rule(*least == 0 ? R"("0" | [1-9] [0-9]{0,15})" : R"([1-9] [0-9]{0,15})");
}

std::string SchemaGrammar::array(const Value& schema, std::size_t depth) {
    const Inside bracket(inside_);
    const auto items = schema["items"];
    const auto first = items.is(Kind::array) ? items : schema["prefixItems"];
    const auto others = items.is(Kind::array) ? schema["additionalItems"] : items;
    std::string body;
    for (const auto one : first.children()) body += (body.empty() ? "" : " \",\" ws ") + value(one, depth + 1);
    if (!body.empty()) {
        if (others.boolean() != false) relax("items");
        return rule("\"[\" ws " + body + " ws \"]\"");
    }
    const auto element = others.is(Kind::object) ? value(others, depth + 1) : std::string("any");
    auto least = schema["minItems"].integer().value_or(0);
    auto most = schema["maxItems"].integer();
    if (least > kMostElements) {
        relax("minItems");
        least = kMostElements;
    }
    if (most && (*most > kMostElements || *most < least)) {
        relax("maxItems");
        most.reset();
    }
    if (most == 0) return rule("\"[\" ws \"]\"");
    const auto more = most == 1 ? std::string()
                                : fmt::format("(\",\" ws {}){{{},{}}}", element, std::max<std::int64_t>(0, least - 1),
                                              most ? std::to_string(*most - 1) : "");
    if (least == 0) return rule(fmt::format("\"[\" ws ({} {})? ws \"]\"", element, more));
    return rule(fmt::format("\"[\" ws {} {} ws \"]\"", element, more));
}

// Members in the order of the schema; those that it does not name only where it names none, or wants them said.
std::string SchemaGrammar::object(const Value& schema, std::size_t depth) {
    const Inside bracket(inside_);
    struct Member {
        std::string rule;
        bool required;
    };
    std::vector<Member> members;
    std::set<std::string, std::less<>> required;
    for (const auto name : schema["required"].children())
        if (name.string()) required.emplace(name.text());
    const auto add = [&](std::string_view name, const Value& wanted) {
        const auto known = required.find(name);
        members.push_back(
            {literal(json::quoted(name)) + " ws \":\" ws " + value(wanted, depth + 1), known != required.end()});
        if (known != required.end()) required.erase(known);
    };
    if (schema["properties"].is(Kind::object))
        for (const auto member : schema["properties"].children()) add(member.key(), member);
    for (const auto& name : std::set(required)) add(name, {});
    const auto others = schema["additionalProperties"];
    const bool open = others.is(Kind::object) || others.boolean() == true;
    if (members.empty() && others.boolean() == false) return rule(R"("{" ws "}")");
    if (members.empty() && !open) return "object";
    std::string more, first_more;
    if (open) {
        const auto one = rule("string ws \":\" ws " + (others.is(Kind::object) ? value(others, depth + 1) : "any"));
        more = fmt::format("(\",\" ws {})*", one);
        first_more = fmt::format("({} {})?", one, more);
    }
    // From the last to the first: what may follow, with nothing and with something before it.
    auto with = rule(more.empty() ? "\"\"" : more), without = rule(first_more.empty() ? "\"\"" : first_more);
    for (std::size_t i = members.size(); i-- > 0;) {
        const auto next_without = members[i].required ? "" : " | " + without;
        const auto next_with = members[i].required ? "" : " | " + with;
        without = rule(members[i].rule + " " + with + next_without);
        with = rule("\",\" ws " + members[i].rule + " " + with + next_with);
    }
    return rule("\"{\" ws " + without + " ws \"}\"");
}

}  // namespace tandem::tools
