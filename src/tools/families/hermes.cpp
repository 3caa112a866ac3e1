// Hermes, Qwen 2.5 and 3, and the many that were tuned on their format: a JSON object in tags, once for each call.
// https://github.com/NousResearch/Hermes-Function-Calling, the chat template of Qwen2.5.
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<tool_call>"};

Reading read(const Text& text) {
    if (!goes_on_with(text, kMarks[0], "{[`")) return no_call();
    return between(text, kMarks[0], "</tool_call>", json_calls);
}

}  // namespace

extern const Family kHermes;
constinit const Family kHermes = {.name = "hermes", .marks = kMarks, .read = read};

}  // namespace tandem::tools
