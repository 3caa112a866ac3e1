// MiniMax M1 writes lines of JSON in <tool_calls>, M2 tags that invoke, as Anthropic's models do where they are asked
// in words. From the documents that come with MiniMax-M1 and MiniMax-M2.
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<minimax:tool_call>", "<tool_calls>", "<function_calls>"};

std::optional<Calls> any(std::string_view inside, const Text& text) {
    if (auto calls = invoke_calls(inside, text)) return calls;
    if (auto calls = json_calls(inside, text)) return calls;
    return python_calls(inside, text);
}

Reading read(const Text& text) {
    if (text.text.starts_with(kMarks[0])) return between(text, kMarks[0], "</minimax:tool_call>", invoke_calls);
    if (text.text.starts_with(kMarks[1])) return between(text, kMarks[1], "</tool_calls>", any);
    return between(text, kMarks[2], "</function_calls>", any);
}

}  // namespace

extern const Family kMiniMax;
constinit const Family kMiniMax = {.name = "minimax", .marks = kMarks, .read = read};

}  // namespace tandem::tools
