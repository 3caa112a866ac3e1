// Tasks with tools, for the suite `tools`: what is offered, what is said, and which calls are right.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "chat/conversation.h"
#include "chat/told.h"

namespace tandem::probe {

enum class ToolTask {
    choice,     // one of four tools fits
    arguments,  // several arguments of different types
    parallel,   // the same tool twice in one turn
    none_fits,  // no tool fits, and words are right
    turns,      // the second call takes its value from the first one's result
    required,   // tool_choice: required
    named,      // tool_choice: one tool
    forbidden,  // tool_choice: none, though a tool fits
    nested,     // an object in a list in the arguments
    long_list,  // one of twenty-four tools fits
};
inline constexpr std::array<std::string_view, 10> kToolTaskNames = {
    "choice", "arguments", "parallel", "none-fits", "turns", "required", "named", "forbidden", "nested", "long-list"};
// Whether words are the right answer, and any call is wrong.
constexpr bool wants_words(ToolTask task) {
    return task == ToolTask::none_fits || task == ToolTask::forbidden;
}

struct MadeTask {
    chat::Request request;
    std::function<bool(const chat::Told&)> right;
};

MadeTask tool_task(std::uint64_t seed, ToolTask task, int number, std::int64_t room);

}  // namespace tandem::probe
