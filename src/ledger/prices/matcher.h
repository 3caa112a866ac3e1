// Which names of models an entry of the book is for: a tree of clauses in the spirit of genai-prices.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace tandem::prices {

class Matcher {
  public:
    enum class Kind { equals, starts_with, ends_with, contains, regex, any, all };

    static Matcher equals(std::string_view text);
    // "gpt-5" is `equals`, an array is `any`, {"starts_with": "gpt-5"}, {"ends_with"}, {"contains"}, {"regex"}
    // (ECMAScript, searched for), {"any": [...]} and {"all": [...]} (also "or", "and"). Letters of both cases are
    // alike, but in a regex. Errors: invalid.
    static Result<Matcher> read(const json::Value& value);
    void write(json::Writer& out) const;

    // `name` in lower case; at most 300 bytes of it are looked at.
    bool matches(std::string_view name) const;
    // The names that it is exactly; empty where it is a pattern.
    std::vector<std::string> names() const;

  private:
    struct Pattern;
    Kind kind_ = Kind::equals;
    std::string text_;  // in lower case
    std::vector<Matcher> parts_;
    std::shared_ptr<const Pattern> pattern_;
};

}  // namespace tandem::prices
