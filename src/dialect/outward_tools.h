// Tools by which a provider itself reaches out of a request: it searches the web, fetches pages, runs code, asks
// servers of others. A turn that holds what somebody else has written is asked without them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "chat/conversation.h"
#include "dialect/dialect.h"

namespace tandem::dialect {

// Whether the provider runs it. What has a type of its own and is run by the client (a shell, an editor, a screen) is
// not: its client is asked before anything happens.
bool is_outward(const chat::Tool& tool);

struct WithoutOutward {
    std::string request;                // empty: there was nothing to leave out
    std::vector<std::string> left_out;  // names, for people
};
// The client's request, in the words of `kind`, without them and without the members that stand for such a tool.
// `decoded` is what was read of it. Who reads the result has to look whether any is left: there are places in which a
// tool is not looked for.
WithoutOutward without_outward_tools(Kind kind, const json::Value& request, const chat::Request& decoded);

}  // namespace tandem::dialect
