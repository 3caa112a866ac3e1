// What clients of a dialect read in an answer and not every server of that dialect writes. For answers that are handed
// on as they came, in one piece.
#pragma once

#include <string>
#include <string_view>

#include "dialect/dialect.h"

namespace tandem::dialect {

struct Mended {
    bool lacking = false;  // members that with_all_members() adds
    std::string instead;   // the answer in its dialect's own words; empty: it is in them already
};

// `answer` is of a server of `kind`; `calls`: it calls tools; `calls_end_so`: such an answer ends as one that calls,
// where its server says "stop".
Mended mended(Kind kind, const json::Document& answer, bool calls, bool calls_end_so);

// The answer with all members that its clients read: what the frame and the usage say, as far as they are known. Only
// for Chat Completions and Anthropic's messages.
std::string with_all_members(Kind kind, const json::Document& answer, const Usage& usage, bool calls,
                             const AnswerFrame& frame);

// Whether an event of a stream lacks members that with_all_members() adds.
bool event_lacks_members(Kind kind, const json::Value& event);
// What an event says that it is, in dialects whose events have names, by which official clients go; empty in others.
std::string_view event_name(Kind kind, const json::Value& event);

}  // namespace tandem::dialect
