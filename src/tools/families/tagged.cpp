// The same JSON in other tags: Nemotron, InternLM, FireFunction and Phi 4, and the tag that Anthropic's documents use.
#include "tools/family.h"
#include "tools/loose_json.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<TOOLCALL>", "<|action_start|><|plugin|>", "functools["};

Reading read(const Text& text) {
    if (text.text.starts_with(kMarks[0])) return between(text, kMarks[0], "</TOOLCALL>", json_calls);
    if (text.text.starts_with(kMarks[1])) return between(text, kMarks[1], "<|action_end|>", json_calls);
    const auto begin = kMarks[2].size() - 1;
    const auto loose = loose_json(text.text.substr(begin), text.ended);
    if (!loose) return wait_or_none(text);
    auto calls = json_calls(text.text.substr(begin, loose->size), text);
    if (!calls) return no_call();
    return {Reading::State::calls, begin + loose->size, std::move(*calls)};
}

}  // namespace

extern const Family kTagged;
constinit const Family kTagged = {.name = "tagged", .marks = kMarks, .read = read};

}  // namespace tandem::tools
