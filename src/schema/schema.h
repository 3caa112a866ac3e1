// Whether a value of JSON is such as a schema wants: JSON Schema draft 2020-12, and what schemas of older drafts say in
// other words (lists in `items`, `dependencies`, `definitions`, booleans for exclusive bounds, OpenAPI's `nullable`).
//
// Schemas are hostile input: depth, steps, memory of patterns and references to themselves are bounded, and nothing is
// fetched. What cannot be checked is said, and holds nobody up. `format` is a remark, as the draft has it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace tandem::schema {

// What is wrong with a value.
struct Problem {
    std::string place;    // in the value, as a JSON pointer (RFC 6901); empty: all of it
    std::string keyword;  // of the schema
    std::string message;  // what is wanted, in words for a model and for people
};

struct Verdict {
    enum class Kind {
        valid,
        invalid,
        unknown,  // the bounds were met before it was known
    } kind = Kind::valid;
    std::vector<Problem> problems;  // of an invalid one, the first few
    bool valid() const { return kind == Kind::valid; }
    bool invalid() const { return kind == Kind::invalid; }
    // "/city must be a string; /days ..."
    std::string text() const;
};

class Schema {
  public:
    static constexpr std::size_t kMostBytes = 1UL << 20;
    static constexpr std::size_t kMostSteps = 500'000;  // subschemas that one check looks at
    static constexpr std::size_t kMostDepth = 200;
    static constexpr std::size_t kMostProblems = 8;

    // Documents that may be referred to, by URI: nothing else is known.
    using Known = std::map<std::string, std::string>;
    // Errors: invalid where it is no schema, too_large.
    static Result<Schema> compile(std::string_view json, const Known& known = {});
    ~Schema();
    Schema(Schema&&) noexcept;
    Schema& operator=(Schema&&) noexcept;

    Verdict check(const json::Value& value) const;
    // What of it holds nothing: patterns and references that are not to be understood.
    const std::vector<std::string>& unchecked() const;

  private:
    struct Parts;
    explicit Schema(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace tandem::schema
