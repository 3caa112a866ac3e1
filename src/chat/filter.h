// Events on their way from a provider to a client, put right on the way.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "chat/conversation.h"

namespace tandem::chat {

class EventFilter {
  public:
    virtual ~EventFilter() = default;
    // Appends what comes of this event; it may be nothing yet.
    virtual void take(Event event, std::vector<Event>& out) = 0;
    // The answer is over: what was held back.
    virtual void end(std::vector<Event>&) {}
};

// Reasoning that a model writes into its text, between <think> and </think> (or <thinking>, <thought>) at the
// beginning, becomes reasoning. Holds back only what could be the head of a tag.
// `whole`: the answer came in one piece, so that thoughts whose beginning the prompt has already said, and which only
// end in it, are seen too.
std::unique_ptr<EventFilter> think_filter(bool whole = false);

// Ends the text where one of these would be said, as a provider with stop sequences does. What follows is not said.
std::unique_ptr<EventFilter> stop_filter(std::vector<std::string> stops);

// Calls that came without an id get "call_ID_NUMBER", with `id` unique for this answer.
std::unique_ptr<EventFilter> id_filter(std::string id);

// Arguments that are no object become one: nothing and null are {}, a text of an object is the object, and of {} with
// another object behind it, or of an object that is said twice, one is left. Held back is only what begins so.
std::unique_ptr<EventFilter> arguments_filter();

// Calls of custom tools that were said to the provider as functions with one text ("input") become custom again.
std::unique_ptr<EventFilter> custom_filter(std::set<std::string> names);

// Calls of tools whose names were changed for the provider have the client's again. `names`: by the provider's.
std::unique_ptr<EventFilter> name_filter(std::map<std::string, std::string> names);

// The text is one JSON object: words and fences around it are left out, and an answer that has none is a failure. What
// begins as an object is handed on as it comes; all else waits for its end. An answer that calls tools, or that was
// cut, is as it is.
std::unique_ptr<EventFilter> json_filter();

}  // namespace tandem::chat
