// Kimi K2: functions.NAME:NUMBER and the object, each between marks, all of them in a section. From the documents that
// come with Kimi-K2-Instruct.
#include "base/text.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<|tool_calls_section_begin|>", "<|tool_call_begin|>"};
constexpr std::string_view kArguments = "<|tool_call_argument_begin|>", kEnd = "<|tool_call_end|>";

// "functions.get_weather:0" is get_weather.
std::string name_of(std::string_view id) {
    id = trim(id);
    if (id.starts_with("functions.")) id.remove_prefix(std::string_view("functions.").size());
    return std::string(id.substr(0, id.rfind(':')));
}

std::optional<Calls> section(std::string_view inside, const Text& text) {
    Calls calls;
    for (auto rest = trim(inside); !rest.empty(); rest = trim(rest)) {
        const auto middle = rest.find(kArguments);
        if (!rest.starts_with(kMarks[1]) || middle == std::string_view::npos) return std::nullopt;
        const auto name = name_of(rest.substr(kMarks[1].size(), middle - kMarks[1].size()));
        if (!text.offer->has(name)) return std::nullopt;
        rest.remove_prefix(middle + kArguments.size());
        const auto end = std::min(rest.size(), rest.find(kEnd));
        calls.push_back({name, std::string(trim(rest.substr(0, end))), {}});
        rest.remove_prefix(std::min(rest.size(), end + kEnd.size()));
    }
    return calls;
}

Reading read(const Text& text) {
    if (text.text.starts_with(kMarks[0])) return between(text, kMarks[0], "<|tool_calls_section_end|>", section);
    const auto end = text.text.find(kEnd);
    if (end == std::string_view::npos && !text.ended) return wait_or_none(text);
    const auto size = end == std::string_view::npos ? text.text.size() : end + kEnd.size();
    auto calls = section(text.text.substr(0, size), text);
    if (!calls || calls->empty()) return no_call();
    return {Reading::State::calls, size, std::move(*calls)};
}

}  // namespace

extern const Family kKimi;
constinit const Family kKimi = {.name = "kimi", .marks = kMarks, .read = read};

}  // namespace tandem::tools
