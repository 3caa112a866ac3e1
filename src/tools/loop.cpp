#include "tools/loop.h"

#include "base/json.h"
#include "chat/answer.h"
#include "schema/equal.h"

namespace tandem::tools {

namespace {

std::string same_arguments(const std::string& arguments) {
    json::Document document;
    return document.parse(arguments) ? schema::canonical(document.root()) : arguments;
}

// What one turn calls, and what came of it; `at` is behind its first message afterwards. Empty: it calls nothing.
struct Turn {
    std::string calls, name;
};

Turn turn_before(const std::vector<chat::Message>& messages, std::size_t& at) {
    Turn turn;
    std::string results;
    while (at > 0 && messages[at - 1].role == chat::Role::tool) {
        for (const auto& part : messages[--at].parts)
            if (const auto* result = part.as<chat::ToolResultPart>())
                results = chat::text_of(result->content) + "\n" + results;
    }
    if (at == 0 || results.empty() || messages[at - 1].role != chat::Role::assistant) return {};
    for (const auto& part : messages[--at].parts)
        if (const auto* call = part.as<chat::ToolCallPart>()) {
            if (turn.name.empty()) turn.name = call->name;
            turn.calls += call->name + "(" + same_arguments(call->arguments) + ")\n";
        }
    if (!turn.calls.empty()) turn.calls += results;
    return turn;
}

}  // namespace

std::optional<Loop> loop_of(const chat::Request& request) {
    auto at = request.messages.size();
    const auto last = turn_before(request.messages, at);
    if (last.calls.empty()) return std::nullopt;
    Loop loop{last.name, 1};
    while (turn_before(request.messages, at).calls == last.calls) ++loop.turns;
    return loop.turns < kTurnsOfLoop ? std::nullopt : std::optional(loop);
}

}  // namespace tandem::tools
