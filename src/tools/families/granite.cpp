// Granite 3 and Phi 4 mini: a list of objects behind a mark, up to the end of the answer. From the chat templates of
// granite-3.1-8b-instruct and Phi-4-mini-instruct.
#include "tools/family.h"
#include "tools/loose_json.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<|tool_call|>"};

Reading read(const Text& text) {
    const auto body = skip_blank(text.text.substr(kMarks[0].size()));
    if (body.empty()) return wait_or_none(text);
    if (!body.starts_with('[') && !body.starts_with('{')) return no_call();
    const auto loose = loose_json(body, text.ended);
    if (!loose) return wait_or_none(text);
    auto calls = json_calls(body.substr(0, loose->size), text);
    if (!calls) return no_call();
    auto size = static_cast<std::size_t>(body.data() - text.text.data()) + loose->size;
    constexpr std::string_view kClose = "<|/tool_call|>";
    const auto behind = skip_blank(text.text.substr(size));
    if (behind.starts_with(kClose)) size = static_cast<std::size_t>(behind.data() - text.text.data()) + kClose.size();
    if (!text.ended && !behind.starts_with(kClose) && kClose.starts_with(behind)) return wait_or_none(text);
    return {Reading::State::calls, size, std::move(*calls)};
}

}  // namespace

extern const Family kGranite;
constinit const Family kGranite = {.name = "granite", .marks = kMarks, .read = read};

}  // namespace tandem::tools
