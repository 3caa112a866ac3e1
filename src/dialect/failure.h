// How providers say within a 200 that they failed, and how an answer ended in words that are no dialect's own. Servers
// that speak a dialect add words to it; a client is told none of them. Private to dialect/ and gateway/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "chat/conversation.h"
#include "dialect/dialect.h"

namespace tandem::dialect {

// What a finish reason means, whoever writes it.
struct Ending {
    chat::Finish reason = chat::Finish::other;
    bool failed = false;  // the provider did not finish: there is no answer, or half of one
};
Ending ending_of(std::string_view word);

// An answer's end by its finish reason, or its failure. `calls`: it has called tools, and some servers say "stop" then.
chat::Event end_event(std::int64_t choice, std::string_view word, bool calls);

// What a provider says in its error, which is an object with a message or a string: `otherwise` where it says nothing.
// Its code says what it is about, where the provider does: context, rate_limited, unauthenticated, not_found (all of
// them the provider's word on us), else upstream.
Error error_in(const json::Value& error, std::string_view otherwise = "the provider sent an error");

// The error that `data`, a whole answer or one event, is in place of an answer; none where it is an answer, or nothing.
// Servers have many forms: {"error": ...}, {"object": "error", "message"}, {"detail"}, {"code", "message"},
// {"base_resp": {"status_code", "status_msg"}}, {"success": false, "errors": [...]}.
std::optional<Error> failure_in(const json::Value& data);

// The answer, or the event of one, with a word of its own dialect for each finish reason that is none; nothing where
// all are. `calls_end_so`: an answer that calls tools ends as one that does, where its provider says "stop".
std::optional<std::string> with_known_endings(Kind kind, const json::Document& answer, bool calls,
                                              bool calls_end_so = false);

}  // namespace tandem::dialect
