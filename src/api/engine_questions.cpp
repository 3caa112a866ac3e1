#include "api/engine_questions.h"

#include <algorithm>
#include <array>

#include "chat/told.h"
#include "probe/tasks.h"

namespace tandem::api {

namespace {

// Those kinds of questions that a few words answer: the traffic goes on meanwhile.
constexpr std::array<std::string_view, 6> kKinds = {"extraction", "format", "json", "language", "reading", "tools"};

// Of the first choice of a Chat Completions answer.
chat::Told told_of(const json::Value& answer) {
    chat::Told told;
    const auto choice = engine::first_choice(answer);
    told.text = choice["message"]["content"].text();
    std::size_t index = 0;
    for (const json::Value call : choice["message"]["tool_calls"].children())
        told.call(index++, call["function"]["name"].text(), call["function"]["arguments"].text(), false);
    return told;
}

}  // namespace

std::vector<engine::UpgradeQuestion> engine_questions() {
    std::vector<engine::UpgradeQuestion> all;
    for (auto& task : probe::tasks(1, false))
        if (std::ranges::find(kKinds, task.kind) != kKinds.end())
            all.push_back({task.id, task.rest,
                           [passed = task.passed](const json::Value& answer) { return passed(told_of(answer)); }});
    return all;
}

}  // namespace tandem::api
