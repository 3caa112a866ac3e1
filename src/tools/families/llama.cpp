// Llama 3 writes JSON with "parameters", often behind <|python_tag|>; Llama 4 lists of Python's calls between
// <|python_start|> and <|python_end|>. https://www.llama.com/docs/model-cards-and-prompt-formats
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<|python_tag|>", "<|python_start|>"};

std::optional<Calls> either(std::string_view inside, const Text& text) {
    auto calls = json_calls(inside, text);
    return calls ? std::move(calls) : python_calls(inside, text);
}

Reading read(const Text& text) {
    if (text.text.starts_with(kMarks[1])) return between(text, kMarks[1], "<|python_end|>", either);
    // What follows the tag is the call, up to the end of the turn, of which some servers show the token.
    for (const std::string_view end : {"<|eom_id|>", "<|eot_id|>"})
        if (text.text.find(end) != std::string_view::npos) return between(text, kMarks[0], end, either);
    if (!text.ended) return wait_or_none(text);
    auto calls = either(text.text.substr(kMarks[0].size()), text);
    if (!calls) return no_call();
    return {Reading::State::calls, text.text.size(), std::move(*calls)};
}

}  // namespace

extern const Family kLlama;
constinit const Family kLlama = {.name = "llama", .marks = kMarks, .read = read};

}  // namespace tandem::tools
