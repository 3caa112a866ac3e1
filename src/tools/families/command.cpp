// Cohere's Command R7B and A: a list between marks, whose objects say tool_name and parameters; Command R writes it as
// a fence behind "Action:". From the chat templates of c4ai-command-r7b-12-2024 and c4ai-command-r-v01.
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<|START_ACTION|>", "Action: ```json", "Action:```json"};

Reading read(const Text& text) {
    if (text.text.starts_with(kMarks[0])) return between(text, kMarks[0], "<|END_ACTION|>", json_calls);
    return between(text, text.text.starts_with(kMarks[1]) ? kMarks[1] : kMarks[2], "```", json_calls);
}

}  // namespace

extern const Family kCommand;
constinit const Family kCommand = {.name = "command", .marks = kMarks, .read = read};

}  // namespace tandem::tools
