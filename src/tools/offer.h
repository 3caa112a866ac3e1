// The tools that a request offers, ready to judge calls by: names, and schemas of arguments. Values; made once for each
// request.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "chat/conversation.h"
#include "schema/schema.h"

namespace tandem::tools {

class Offer {
  public:
    Offer() = default;
    // The functions among the tools of a request. A schema that is none judges nothing.
    explicit Offer(const std::vector<chat::Tool>& tools);

    bool empty() const { return tools_.empty(); }
    bool has(std::string_view name) const { return tools_.contains(name); }
    // Whether a name that is offered begins so.
    bool may_begin(std::string_view start) const;
    std::vector<std::string> names() const;

    // What the arguments of a tool are to be. Null: nothing is known.
    const schema::Schema* schema(std::string_view name) const;
    // The schema of one argument, or absent.
    json::Value argument(std::string_view name, std::string_view argument) const;
    // All of it, or absent.
    json::Value parameters(std::string_view name) const;

  private:
    struct One {
        json::Document parameters;
        std::optional<schema::Schema> schema;
    };
    std::map<std::string, std::shared_ptr<const One>, std::less<>> tools_;
};

}  // namespace tandem::tools
