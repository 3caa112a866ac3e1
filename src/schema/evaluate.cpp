#include "schema/evaluate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/utf8.h"
#include "schema/equal.h"
#include "schema/number.h"

namespace tandem::schema {

using json::Kind;

namespace {

std::string_view kind_of(const json::Value& value) {
    switch (value.kind()) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return "boolean";
        case Kind::number:
            return "number";
        case Kind::string:
            return "string";
        case Kind::array:
            return "array";
        case Kind::object:
            break;
    }
    return "object";
}

bool is_type(std::string_view type, const json::Value& value) {
    if (type != "integer") return type == kind_of(value);
    if (!value.is(Kind::number)) return false;
    const auto number = decimal(value.text());
    return number && number->whole();
}

void join_in(const Seen& from, Seen& to) {
    for (std::size_t i = 0; i < from.size() && i < to.size(); ++i)
        if (from[i]) to[i] = true;
}

}  // namespace

Verdict Evaluation::run(const Place& root, const Value& value) {
    Seen seen;
    const bool good = holds(root, value, seen);
    Verdict verdict;
    if (unknown_)
        verdict.kind = Verdict::Kind::unknown;
    else if (!good)
        verdict = {Verdict::Kind::invalid, std::move(problems_)};
    return verdict;
}

bool Evaluation::wrong(std::string_view keyword, std::string message) {
    if (quiet_ == 0 && problems_.size() < Schema::kMostProblems)
        problems_.push_back({place_, std::string(keyword), std::move(message)});
    return false;
}

bool Evaluation::spent() {
    if (++steps_ > Schema::kMostSteps || depth_ > Schema::kMostDepth) unknown_ = true;
    return unknown_;
}

bool Evaluation::holds(const Place& schema, const Value& value, Seen& seen) {
    if (spent()) return true;
    if (schema.schema.is(Kind::boolean))
        return schema.schema.boolean() == true || wrong("false", "nothing may stand here");
    if (!schema.schema.is(Kind::object)) return true;
    const Place at{schema.schema, resources_.resource_of(schema.schema, schema.resource)};
    ++depth_;
    const bool enters = scope_.empty() || scope_.back() != at.resource;
    if (enters) scope_.push_back(at.resource);
    Seen own(value.size(), false);
    const bool good = holds_object(at, value, own);
    if (enters) scope_.pop_back();
    --depth_;
    if (good) join_in(own, seen);
    return good;
}

// All keywords are looked at, so that all that is wrong is said; what is seen counts only where all hold.
bool Evaluation::holds_object(const Place& at, const Value& value, Seen& seen) {
    bool good = types(at.schema, value);
    good = choices(at.schema, value) && good;
    if (value.is(Kind::number)) good = numbers(at.schema, value) && good;
    if (value.is(Kind::string)) good = strings(at.schema, value) && good;
    if (value.is(Kind::array)) good = array(at, value, seen) && good;
    if (value.is(Kind::object)) good = object(at, value, seen) && good;
    good = references(at, value, seen) && good;
    good = logic(at, value, seen) && good;
    return good && rest(at, value, seen);
}

bool Evaluation::tries(const Place& schema, const Value& value, Seen& seen) {
    ++quiet_;
    const bool good = holds(schema, value, seen);
    --quiet_;
    return good;
}

bool Evaluation::holds_member(const Place& schema, const Value& member, const std::string& name) {
    const auto size = place_.size();
    std::string token = name;
    for (std::size_t i = 0; i < token.size(); ++i)
        if (token[i] == '~' || token[i] == '/') token.replace(i, 1, token[i] == '~' ? "~0" : "~1");
    place_ += "/" + token;
    Seen seen;
    const bool good = holds(schema, member, seen);
    place_.resize(size);
    return good;
}

bool Evaluation::references(const Place& at, const Value& value, Seen& seen) {
    bool good = true;
    if (const auto ref = at.schema["$ref"]; ref.string())
        good = refer(resources_.find(at.resource, ref.text()), value, seen);
    if (const auto ref = at.schema["$recursiveRef"]; ref.string())
        good = refer(resources_.find(at.resource, ref.text()), value, seen) && good;
    const auto ref = at.schema["$dynamicRef"];
    if (!ref.string()) return good;
    std::string name;
    auto target = resources_.find(at.resource, ref.text(), &name);
    if (target && !name.empty())
        for (const auto resource : scope_)
            if (const auto outer = resources_.dynamic(resource, name)) {
                target = outer;
                break;
            }
    return refer(target, value, seen) && good;
}

// What is not here holds nothing (Schema::unchecked()).
bool Evaluation::refer(const std::optional<Place>& target, const Value& value, Seen& seen) {
    return !target || holds(*target, value, seen);
}

bool Evaluation::logic(const Place& at, const Value& value, Seen& seen) {
    bool good = true;
    for (const auto one : at.schema["allOf"].children()) good = holds(below(at, one), value, seen) && good;
    if (const auto list = at.schema["anyOf"]; list.is(Kind::array)) good = any_of(at, list, value, seen) && good;
    if (const auto list = at.schema["oneOf"]; list.is(Kind::array)) good = one_of(at, list, value, seen) && good;
    if (const auto no = at.schema["not"]; no.exists()) {
        Seen nothing(value.size(), false);
        if (tries(below(at, no), value, nothing)) good = wrong("not", "is what it must not be");
    }
    return condition(at, value, seen) && good;
}

bool Evaluation::any_of(const Place& at, const Value& list, const Value& value, Seen& seen) {
    bool good = false;
    // All are looked at, since each that holds has seen something.
    for (const auto one : list.children())
        good = (!good || resources_.asks_for_rest()) ? tries(below(at, one), value, seen) || good : good;
    if (good) return true;
    if (list.size() == 1) return holds(below(at, *json::begin(list.children())), value, seen);
    return wrong("anyOf", "fits none of the alternatives");
}

bool Evaluation::one_of(const Place& at, const Value& list, const Value& value, Seen& seen) {
    std::size_t fit = 0;
    for (const auto one : list.children()) fit += tries(below(at, one), value, seen) ? 1 : 0;
    if (fit == 1) return true;
    return wrong("oneOf", fit == 0 ? std::string("fits none of the alternatives")
                                   : fmt::format("fits {} of the alternatives, and must fit one alone", fit));
}

bool Evaluation::condition(const Place& at, const Value& value, Seen& seen) {
    const auto question = at.schema["if"];
    if (!question.exists()) return true;
    const auto answer = tries(below(at, question), value, seen) ? at.schema["then"] : at.schema["else"];
    return !answer.exists() || holds(below(at, answer), value, seen);
}

bool Evaluation::types(const Value& schema, const Value& value) {
    const auto type = schema["type"];
    if (type.string() && !is_type(type.text(), value)) {
        if (value.is_null() && schema["nullable"].boolean() == true) return true;
        return wrong("type", fmt::format("must be {}, and is {}", type.text(), kind_of(value)));
    }
    if (!type.is(Kind::array)) return true;
    std::vector<std::string> wanted;
    for (const auto one : type.children()) {
        if (is_type(one.text(), value)) return true;
        wanted.emplace_back(one.text());
    }
    return wrong("type", fmt::format("must be {}, and is {}", join(wanted, " or "), kind_of(value)));
}

bool Evaluation::choices(const Value& schema, const Value& value) {
    const auto same = [&, text = std::string()](const Value& other) mutable {
        ++steps_;
        if (other.kind() != value.kind()) return false;
        if (value.is(Kind::string)) return value.text() == other.text();
        if (text.empty()) text = canonical(value);
        return canonical(other) == text;
    };
    auto is_same = same;
    if (const auto wanted = schema["const"]; wanted.exists() && !is_same(wanted))
        return wrong("const", fmt::format("must be {}", printable(wanted.raw())));
    const auto list = schema["enum"];
    if (!list.is(Kind::array)) return true;
    std::vector<std::string> some;
    for (const auto one : list.children()) {
        if (is_same(one)) return true;
        if (some.size() < 20) some.push_back(printable(one.raw(), 40));
    }
    if (value.is_null() && schema["nullable"].boolean() == true) return true;
    return wrong("enum", fmt::format("must be one of {}{}", join(some, ", "), list.size() > 20 ? ", ..." : ""));
}

bool Evaluation::numbers(const Value& schema, const Value& value) {
    bool good = bounds(schema, value);
    const auto step = schema["multipleOf"];
    if (!step.is(Kind::number)) return good;
    const auto number = decimal(value.text()), of = decimal(step.text());
    if (number && of && is_multiple(*number, *of) == false)
        good = wrong("multipleOf", fmt::format("must be a multiple of {}", step.text()));
    return good;
}

bool Evaluation::bounds(const Value& schema, const Value& value) {
    const auto number = decimal(value.text());
    if (!number) return true;
    bool good = true;
    const auto check = [&](std::string_view keyword, bool least, bool excluded) {
        const auto bound = decimal(schema[keyword].text());
        if (!bound || !schema[keyword].is(Kind::number)) return;
        const auto order = compare(*number, *bound);
        if ((least ? order > 0 : order < 0) || (!excluded && order == 0)) return;
        good = wrong(keyword,
                     fmt::format("must be {} {}",
                                 least ? (excluded ? "more than" : "at least") : (excluded ? "less than" : "at most"),
                                 schema[keyword].text()));
    };
    check("minimum", true, schema["exclusiveMinimum"].boolean() == true);
    check("maximum", false, schema["exclusiveMaximum"].boolean() == true);
    check("exclusiveMinimum", true, true);
    check("exclusiveMaximum", false, true);
    return good;
}

bool Evaluation::strings(const Value& schema, const Value& value) {
    bool good = true;
    if (schema["minLength"].exists() || schema["maxLength"].exists()) {
        const auto size = characters_in(value.text());
        good = count(schema, "minLength", size, false, "characters");
        good = count(schema, "maxLength", size, true, "characters") && good;
    }
    if (const auto pattern = schema["pattern"]; pattern.string() && !matches(pattern.text(), value.text()))
        good = wrong("pattern", fmt::format("must match {}", printable(pattern.text())));
    return good;
}

bool Evaluation::matches(std::string_view pattern, std::string_view text) {
    constexpr std::size_t kBytesOfStep = 64;
    steps_ += text.size() / kBytesOfStep;
    const auto found = patterns_.find(pattern);
    return found == patterns_.end() || found->second.matches(text);
}

bool Evaluation::count(const Value& schema, std::string_view keyword, std::size_t count, bool most,
                       std::string_view of) {
    const auto bound = schema[keyword];
    if (!bound.is(Kind::number)) return true;
    const auto wanted = decimal(bound.text());
    if (!wanted) return true;
    const auto order = compare(*decimal(std::to_string(count)), *wanted);
    if (most ? order <= 0 : order >= 0) return true;
    return wrong(keyword,
                 fmt::format("must have {} {} {}, and has {}", most ? "at most" : "at least", bound.text(), of, count));
}

}  // namespace tandem::schema
