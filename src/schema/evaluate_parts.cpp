// What is inside: elements of lists, members of objects, and what nobody has looked at.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "schema/equal.h"
#include "schema/evaluate.h"
#include "schema/number.h"

namespace tandem::schema {

using json::Kind;

bool Evaluation::array(const Place& at, const Value& value, Seen& seen) {
    bool good = count(at.schema, "minItems", value.size(), false, "elements");
    good = count(at.schema, "maxItems", value.size(), true, "elements") && good;
    const auto items = at.schema["items"];
    const bool old = items.is(Kind::array);  // before 2020-12
    const auto first = old ? items : at.schema["prefixItems"];
    const auto others = old ? at.schema["additionalItems"] : items;
    std::size_t i = 0;
    auto schemas = first.is(Kind::array) ? first.children() : Value().children();
    auto schema = json::begin(schemas);
    const auto end = json::end(schemas);
    for (const auto element : value.children()) {
        const bool has_own = !(schema == end);
        const auto wanted = has_own ? *schema : others;
        if (has_own) ++schema;
        if (wanted.exists()) {
            good = holds_member(below(at, wanted), element, std::to_string(i)) && good;
            seen[i] = true;
        }
        ++i;
    }
    good = contains(at, value, seen) && good;
    if (at.schema["uniqueItems"].boolean() == true) good = unique(value) && good;
    return good;
}

bool Evaluation::contains(const Place& at, const Value& value, Seen& seen) {
    const auto wanted = at.schema["contains"];
    if (!wanted.exists()) return true;
    std::size_t found = 0, i = 0;
    for (const auto element : value.children()) {
        Seen inside(element.size(), false);
        if (tries(below(at, wanted), element, inside)) {
            ++found;
            seen[i] = true;
        }
        ++i;
    }
    bool good = true;
    if (at.schema["minContains"].is(Kind::number))
        good = count(at.schema, "minContains", found, false, "such elements");
    else if (found == 0)
        good = wrong("contains", "has no element of the kind that it must have");
    return count(at.schema, "maxContains", found, true, "such elements") && good;
}

bool Evaluation::unique(const Value& value) {
    std::unordered_set<std::string> known;
    for (const auto element : value.children())
        if (!known.insert(canonical(element)).second) return wrong("uniqueItems", "has an element twice");
    return true;
}

bool Evaluation::object(const Place& at, const Value& value, Seen& seen) {
    bool good = count(at.schema, "minProperties", value.size(), false, "members");
    good = count(at.schema, "maxProperties", value.size(), true, "members") && good;
    for (const auto name : at.schema["required"].children())
        if (name.string() && !value[name.text()].exists())
            good = wrong("required", fmt::format("lacks the required member '{}'", name.text()));
    good = members(at, value, seen) && good;
    good = names(at, value) && good;
    return dependencies(at, value, seen) && good;
}

bool Evaluation::members(const Place& at, const Value& value, Seen& seen) {
    const auto properties = at.schema["properties"], patterns = at.schema["patternProperties"];
    const auto others = at.schema["additionalProperties"];
    bool good = true;
    std::size_t i = 0;
    for (const auto member : value.children()) {
        const std::string name(member.key());
        bool known = false;
        if (const auto wanted = properties[name]; wanted.exists()) {
            known = true;
            good = holds_member(below(at, wanted), member, name) && good;
        }
        if (patterns.is(Kind::object))
            for (const auto wanted : patterns.children())
                if (matches(wanted.key(), name)) {
                    known = true;
                    good = holds_member(below(at, wanted), member, name) && good;
                }
        if (!known && others.exists()) {
            known = true;
            if (others.boolean() == false)
                good = wrong("additionalProperties", fmt::format("has the member '{}', which is not known", name));
            else
                good = holds_member(below(at, others), member, name) && good;
        }
        if (known) seen[i] = true;
        ++i;
    }
    return good;
}

bool Evaluation::names(const Place& at, const Value& value) {
    const auto wanted = at.schema["propertyNames"];
    if (!wanted.exists()) return true;
    for (const auto member : value.children()) {
        json::Document name;
        if (!name.take("[" + json::quoted(member.key()) + "]")) continue;
        Seen nothing;
        if (!tries(below(at, wanted), *json::begin(name.root().children()), nothing))
            return wrong("propertyNames",
                         fmt::format("has a member of a name that it may not have: '{}'", member.key()));
    }
    return true;
}

bool Evaluation::dependencies(const Place& at, const Value& value, Seen& seen) {
    bool good = true;
    for (const auto* keyword : {"dependentRequired", "dependentSchemas", "dependencies"}) {
        const auto all = at.schema[keyword];
        if (!all.is(Kind::object)) continue;
        for (const auto one : all.children()) {
            if (!value[one.key()].exists()) continue;
            if (!one.is(Kind::array)) {
                good = holds(below(at, one), value, seen) && good;
                continue;
            }
            for (const auto name : one.children())
                if (!value[name.text()].exists())
                    good = wrong(keyword, fmt::format("has '{}' and lacks '{}'", one.key(), name.text()));
        }
    }
    return good;
}

// Core, section 11: what no other keyword has looked at.
bool Evaluation::rest(const Place& at, const Value& value, Seen& seen) {
    if (!resources_.asks_for_rest()) return true;
    if (value.is(Kind::array)) return rest_of(at, "unevaluatedItems", value, seen);
    return !value.is(Kind::object) || rest_of(at, "unevaluatedProperties", value, seen);
}

bool Evaluation::rest_of(const Place& at, std::string_view keyword, const Value& value, Seen& seen) {
    const auto wanted = at.schema[keyword];
    if (!wanted.exists()) return true;
    bool good = true;
    std::size_t i = 0;
    for (const auto child : value.children()) {
        if (!seen[i]) {
            const auto name = value.is(Kind::object) ? std::string(child.key()) : std::to_string(i);
            good = holds_member(below(at, wanted), child, name) && good;
            seen[i] = true;
        }
        ++i;
    }
    return good;
}

}  // namespace tandem::schema
