// What an engine of ours is held to, as a grammar of GBNF: the answer that a request wants, whatever the model's
// template says. Deterministic.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "chat/conversation.h"

namespace tandem::tools {

struct Held {
    std::string grammar;
    std::set<std::string> relaxed;  // keywords of schemas that it does not hold, and that are checked afterwards
};

// An answer in the JSON that is asked for. Nullopt: none is, or its schema makes more rules than an engine is given.
std::optional<Held> hold_answer(const chat::ResponseFormat& format);

// An answer to a request that offers tools. A call is written in <tool_call> tags, as a fence of JSON or as JSON alone,
// and its arguments are such as its schema wants as soon as it has begun. `auto` leaves all other text free; `required`
// and a named tool leave none but thoughts; where calls may not be parallel there is one. An answer in JSON is that, or
// a call in tags. Nullopt: `none`, no tools, or more rules than an engine is given.
std::optional<Held> hold_calls(const chat::Request& request);

}  // namespace tandem::tools
