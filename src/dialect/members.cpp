#include "dialect/members.h"

#include <utility>

#include "dialect/anthropic.h"
#include "dialect/failure.h"
#include "dialect/openai_chat.h"

namespace tandem::dialect {

Mended mended(Kind kind, const json::Document& answer, bool calls, bool calls_end_so) {
    Mended result;
    if (auto known = with_known_endings(kind, answer, calls, calls_end_so)) result.instead = std::move(*known);
    if (kind == Kind::anthropic) result.lacking = anthropic::lacks_members(answer.root());
    if (kind != Kind::openai_chat) return result;
    result.lacking = openai_chat::lacks_members(answer.root(), false);
    if (!calls) return result;
    json::Document changed;
    if (!result.instead.empty() && !changed.parse(result.instead)) return result;
    if (auto whole = openai_chat::with_whole_calls(result.instead.empty() ? answer : changed))
        result.instead = std::move(*whole);
    return result;
}

std::string with_all_members(Kind kind, const json::Document& answer, const Usage& usage, bool calls,
                             const AnswerFrame& frame) {
    if (kind == Kind::anthropic) return anthropic::with_all_members(answer, usage, calls);
    return openai_chat::with_all_members(answer, {"chatcmpl-" + frame.id, frame.model, frame.created}, false);
}

bool event_lacks_members(Kind kind, const json::Value& event) {
    return kind == Kind::anthropic && anthropic::lacks_members(event);
}

std::string_view event_name(Kind kind, const json::Value& event) {
    const bool named = kind == Kind::anthropic || kind == Kind::openai_responses;
    return named ? event["type"].text() : std::string_view();
}

}  // namespace tandem::dialect
