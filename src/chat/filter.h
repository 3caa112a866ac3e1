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

// Reasoning that a model writes into its text, between <think> and </think> at the beginning, becomes reasoning. Holds
// back only what could be the head of a tag.
std::unique_ptr<EventFilter> think_filter();

// Calls that came without an id get "call_ID_NUMBER", with `id` unique for this answer.
std::unique_ptr<EventFilter> id_filter(std::string id);

// Calls of custom tools that were said to the provider as functions with one text ("input") become custom again.
std::unique_ptr<EventFilter> custom_filter(std::set<std::string> names);

// Calls of tools whose names were changed for the provider have the client's again. `names`: by the provider's.
std::unique_ptr<EventFilter> name_filter(std::map<std::string, std::string> names);

}  // namespace tandem::chat
