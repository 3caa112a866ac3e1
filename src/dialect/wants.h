// What some servers of Chat Completions take and others refuse, in ways that no list says: Mistral's ids of calls and
// its order of turns, templates of local models that know no system prompt or no two turns of one role, servers that
// refuse their own thoughts in a history, and the two words for the bound of an answer. A refusal tells which. Private
// to dialect/, upstream/ and gateway/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"

namespace tandem::dialect {

struct Wants {
    static constexpr std::string_view kModernBound = "max_completion_tokens", kPlainBound = "max_tokens";

    std::string_view bound;         // the word for the bound of an answer; empty: the server has refused none
    bool short_ids = false;         // ids of calls: nine letters and digits
    bool answered_results = false;  // a turn of the assistant between a tool's result and the user's next turn
    bool alternating = false;       // no two turns of one role in a row
    bool no_system = false;         // no system prompt
    bool no_thoughts = false;       // no reasoning_content in a history

    bool operator==(const Wants&) const = default;
};

// `wants` with what a refusal adds to it, given the status and the body of the answer. The same where it adds nothing.
Wants with_refusal(Wants wants, int status, std::string_view body);

// Whether a server that wants this would refuse the request. The bound's word is not looked at.
bool breaks(const Wants& wants, const chat::Request& request);

// Says the request as the server wants it, without losing a word of it, but for thoughts. Sentences for the client
// about what was changed are added to `changes`. The same request becomes the same.
void meet(const Wants& wants, chat::Request& request, std::vector<std::string>& changes);

}  // namespace tandem::dialect
