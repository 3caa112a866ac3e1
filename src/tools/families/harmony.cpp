// gpt-oss (harmony): a message to functions.NAME in the channel commentary, up to <|call|>.
// https://cookbook.openai.com/articles/openai-harmony
#include "base/text.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<|start|>assistant<|channel|>commentary to=functions.",
                                       "<|start|>assistant to=functions.", "<|channel|>commentary to=functions.",
                                       "<|channel|>analysis to=functions."};
constexpr std::string_view kTo = "to=functions.", kMessage = "<|message|>", kCall = "<|call|>";

Reading read(const Text& text) {
    const auto begin = text.text.find(kTo) + kTo.size();
    const auto message = text.text.find(kMessage, begin);
    const auto end = text.text.find(kCall, begin);
    if (end == std::string_view::npos && !text.ended) return wait_or_none(text);
    if (message == std::string_view::npos) return no_call();
    const auto head = text.text.substr(begin, message - begin);
    const std::string name(head.substr(0, head.find_first_of(" <\n")));
    if (!text.offer->has(name)) return no_call();
    const auto body = message + kMessage.size();
    const auto size = end == std::string_view::npos ? text.text.size() : end + kCall.size();
    const auto stop = std::min(end, text.text.size());
    if (stop < body) return no_call();
    return {Reading::State::calls, size, {Written{name, std::string(trim(text.text.substr(body, stop - body))), {}}}};
}

}  // namespace

extern const Family kHarmony;
constinit const Family kHarmony = {.name = "harmony", .marks = kMarks, .read = read};

}  // namespace tandem::tools
