// One value against one schema, keyword by keyword. Private to schema/.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schema/pattern.h"
#include "schema/resources.h"
#include "schema/schema.h"

namespace tandem::schema {

using Patterns = std::map<std::string, Pattern, std::less<>>;

// Members or elements of one value that a schema has looked at.
using Seen = std::vector<bool>;

class Evaluation {
  public:
    Evaluation(const Resources& resources, const Patterns& patterns) : resources_(resources), patterns_(patterns) {}
    Verdict run(const Place& root, const json::Value& value);

  private:
    using Value = json::Value;

    bool holds(const Place& schema, const Value& value, Seen& seen);
    bool holds_object(const Place& at, const Value& value, Seen& seen);
    // Whether a subschema holds; what it wants is no problem of the value.
    bool tries(const Place& schema, const Value& value, Seen& seen);
    bool holds_member(const Place& schema, const Value& member, const std::string& name);

    bool references(const Place& at, const Value& value, Seen& seen);
    bool refer(const std::optional<Place>& target, const Value& value, Seen& seen);
    bool logic(const Place& at, const Value& value, Seen& seen);
    bool any_of(const Place& at, const Value& list, const Value& value, Seen& seen);
    bool one_of(const Place& at, const Value& list, const Value& value, Seen& seen);
    bool condition(const Place& at, const Value& value, Seen& seen);
    bool types(const Value& schema, const Value& value);
    bool choices(const Value& schema, const Value& value);
    bool numbers(const Value& schema, const Value& value);
    bool bounds(const Value& schema, const Value& value);
    bool strings(const Value& schema, const Value& value);
    bool array(const Place& at, const Value& value, Seen& seen);
    bool contains(const Place& at, const Value& value, Seen& seen);
    bool unique(const Value& value);
    bool object(const Place& at, const Value& value, Seen& seen);
    bool members(const Place& at, const Value& value, Seen& seen);
    bool names(const Place& at, const Value& value);
    bool dependencies(const Place& at, const Value& value, Seen& seen);
    bool rest(const Place& at, const Value& value, Seen& seen);
    bool rest_of(const Place& at, std::string_view keyword, const Value& value, Seen& seen);
    bool count(const Value& schema, std::string_view keyword, std::size_t count, bool most, std::string_view of);

    bool matches(std::string_view pattern, std::string_view text);
    Place below(const Place& at, const Value& schema) const { return {schema, at.resource}; }
    // Says what is wrong; always false.
    bool wrong(std::string_view keyword, std::string message);
    bool spent();

    const Resources& resources_;
    const Patterns& patterns_;
    std::vector<std::size_t> scope_;  // resources on the way, from the outermost
    std::string place_;
    std::vector<Problem> problems_;
    std::size_t steps_ = 0, depth_ = 0, quiet_ = 0;
    bool unknown_ = false;
};

}  // namespace tandem::schema
