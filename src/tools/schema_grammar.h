// A JSON schema as rules of GBNF (llama.cpp, grammars/README.md), so that a model that is held to them writes what the
// schema wants. What rules cannot say, or only in more than an engine takes, is left to the schema's check afterwards:
// the rules are never stricter than a schema where an answer would be lost by that, and every schema has rules.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace tandem::tools {

class SchemaGrammar {
  public:
    SchemaGrammar();

    // The name of a rule for values that `schema` takes. `schema` is the root that "#/..." refers into, and outlives
    // this.
    std::string add(const json::Value& schema);
    // The name of a rule for any value, any object.
    std::string any();
    std::string any_object();

    // Adds a rule of one's own: `body` in GBNF. Its name.
    std::string rule(std::string body);
    // The same under a name of one's own, which other rules may have referred to already.
    void named(std::string name, std::string body);
    // All rules, with `root` for the first.
    std::string text(const std::string& root) const;
    // Keywords of the schemas that the rules do not say, each once.
    const std::set<std::string>& relaxed() const { return relaxed_; }
    // More than an engine should be given: it is not held, then.
    bool too_large() const { return bytes_ > kMostBytes || rules_.size() > kMostRules; }

    static constexpr std::size_t kMostBytes = 256 * 1024;
    static constexpr std::size_t kMostRules = 8'000;

    // A literal of GBNF.
    static std::string literal(std::string_view text);

  private:
    struct Referred {
        std::string name;
        bool open = true;        // it is being made
        std::size_t inside = 0;  // in how many brackets it began
    };
    std::string value(const json::Value& schema, std::size_t depth);
    std::string of_type(std::string_view type, const json::Value& schema, std::size_t depth);
    std::string reference(std::string_view pointer, std::size_t depth);
    std::string alternatives(const json::Value& list, std::size_t depth);
    std::string merged(const json::Value& list, std::size_t depth);
    std::string object(const json::Value& schema, std::size_t depth);
    std::string array(const json::Value& schema, std::size_t depth);
    std::string string(const json::Value& schema);
    std::string integer(const json::Value& schema);
    void relax(std::string_view keyword) { relaxed_.emplace(keyword); }
    void relax_others(const json::Value& schema);

    std::vector<std::pair<std::string, std::string>> rules_;
    std::map<std::string, Referred> referred_;
    std::set<std::string> relaxed_;
    json::Value root_;
    std::size_t bytes_ = 0;
    std::size_t inside_ = 0;  // brackets that are open here
};

}  // namespace tandem::tools
