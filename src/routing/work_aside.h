// Recognises the small calls that clients make beside a conversation: for its title, tags, follow-up questions or
// search queries, and to look whether their key has a quota. What they carry of the conversation is hard at times, what
// they ask for never is. Private to routing/.
#pragma once

#include <string_view>

#include "chat/conversation.h"
#include "routing/work_clues.h"

namespace tandem::routing {

// What of a request tells such a call.
struct AsideView {
    const chat::Request& request;
    const Clues& system;
    std::size_t system_bytes = 0;
    const Clues& user;           // of the last message with text
    std::string_view user_text;  // the same message
    std::size_t user_turns = 0;
    bool agent = false;  // its system prompt or its tools are an agent's
};

// Empty where it is no such call, else the word for people: "title", "short answer asked for".
std::string_view aside_of(const AsideView& view);

}  // namespace tandem::routing
