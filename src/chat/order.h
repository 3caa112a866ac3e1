// The order of calls and results that every provider insists on.
#pragma once

#include <string>
#include <vector>

#include "chat/conversation.h"

namespace tandem::chat {

// Brings a history into the order that the strictest provider takes, without losing a word of it: each result follows
// the turn of its call, in the order of the calls; a result without a call becomes a user's text; a call without a
// result gets one that says so. Results get the name of their call, calls without an id of their own get one. What was
// done is said in `changes`.
void order_results(std::vector<Message>& messages, std::vector<std::string>& changes);

// Neighbours of this role become one message.
void merge_neighbours(std::vector<Message>& messages, Role role);
bool has_neighbours(const std::vector<Message>& messages, Role role);

}  // namespace tandem::chat
