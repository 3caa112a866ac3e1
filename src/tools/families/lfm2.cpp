// LFM2: a list of Python's calls between marks; newer ones write JSON there where they are asked to.
// https://docs.liquid.ai/lfm/key-concepts/tool-use
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<|tool_call_start|>"};

std::optional<Calls> either(std::string_view inside, const Text& text) {
    auto calls = python_calls(inside, text);
    return calls ? std::move(calls) : json_calls(inside, text);
}

Reading read(const Text& text) {
    return between(text, kMarks[0], "<|tool_call_end|>", either);
}

}  // namespace

extern const Family kLfm2;
constinit const Family kLfm2 = {.name = "lfm2", .marks = kMarks, .read = read};

}  // namespace tandem::tools
