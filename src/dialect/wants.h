// What some servers take and others of the same dialect refuse, in ways that no list says: Mistral's ids of calls and
// its order of turns, templates of local models that know no system prompt or no two turns of one role, servers that
// refuse their own thoughts in a history, the two words for the bound of an answer, models that take no temperature or
// think in one way alone, and schemas of tools in more words than a server reads. A refusal tells which. Private to
// dialect/ and gateway/.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "chat/conversation.h"

namespace tandem::dialect {

struct Wants {
    static constexpr std::string_view kModernBound = "max_completion_tokens", kPlainBound = "max_tokens";

    std::string_view bound;          // the word for the bound of an answer; empty: the server has refused none
    bool short_ids = false;          // ids of calls: nine letters and digits
    bool answered_results = false;   // a turn of the assistant between a tool's result and the user's next turn
    bool alternating = false;        // no two turns of one role in a row
    bool no_system = false;          // no system prompt
    bool system_first = false;       // one system prompt, at the beginning
    bool streams_only = false;       // no answer in one piece
    bool marked_beginnings = false;  // "prefix": true with the beginning of an answer that is to be gone on with
    bool no_thoughts = false;        // no reasoning_content in a history
    bool plain_schemas = false;      // schemas of tools in the few words that every server reads
    bool always_thinks = false;      // thinking cannot be turned off
    // How a model is told to think: the older ones by a number of tokens alone, the newer ones by a word alone.
    enum class Thinking : std::uint8_t { any, by_budget, by_effort, never } thinking = Thinking::any;
    // Beside thoughts no call can be forced, and thoughts are turned off with this member; empty: nothing was refused.
    std::string_view thoughts_off{};
    std::vector<std::string> efforts{};  // the words for effort that it knows; empty: it has refused none
    std::set<std::string> no_fields{};   // what it has refused of the fields that can be left out (refused_fields.h)
    std::set<std::string> unusual{};     // what it has taken in plain words alone (translate/plainer.h)

    bool takes(const std::string& field) const { return !no_fields.contains(field); }

    bool operator==(const Wants&) const = default;
};

// A refusal in lower case without what it quotes of the request: what a client says is no word of the server, and must
// not decide how the next client is asked. Empty where the request has too many texts to look for.
std::string own_words_of(std::string_view refusal, const json::Value& request);

// `wants` with what a refusal adds to it, given the status and the body of the answer, and what the request can go
// without (leavable_fields()). The same where it adds nothing.
Wants with_refusal(Wants wants, int status, std::string_view body, const std::vector<std::string>& leavable = {});

// Whether a server that wants this would refuse the request. The bound's word is not looked at.
bool breaks(const Wants& wants, const chat::Request& request);

// Says the request as the server wants it, without losing a word of its messages, but for thoughts. Sentences for the
// client about what was changed are added to `changes`. The same request becomes the same.
void meet(const Wants& wants, chat::Request& request, std::vector<std::string>& changes);

}  // namespace tandem::dialect
