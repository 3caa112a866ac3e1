// DeepSeek R1, V3 and V3.1: calls between marks of its own; in V3 a fence of JSON behind the word "function", in V3.1
// the object alone. From the chat templates of DeepSeek-V3 and DeepSeek-V3.1.
#include "base/text.h"
#include "tools/family.h"

namespace tandem::tools {

namespace {

constexpr std::string_view kMarks[] = {"<｜tool▁calls▁begin｜>", "<｜tool▁call▁begin｜>"};
constexpr std::string_view kBegin = "<｜tool▁call▁begin｜>", kEnd = "<｜tool▁call▁end｜>",
                           kSeparator = "<｜tool▁sep｜>", kLast = "<｜tool▁calls▁end｜>";

std::optional<Written> call_of(std::string_view text, const Text& whole) {
    const auto middle = text.find(kSeparator);
    if (middle == std::string_view::npos) return std::nullopt;
    const auto before = trim(text.substr(0, middle));
    auto behind = trim(text.substr(middle + kSeparator.size()));
    std::string name(before);
    if (before == "function") {
        const auto line = std::min(behind.size(), behind.find('\n'));
        name = trim(behind.substr(0, line));
        behind = trim(behind.substr(line));
        if (behind.starts_with("```")) {
            behind.remove_prefix(std::min(behind.size(), behind.find('\n')));
            behind = trim(behind);
            if (behind.ends_with("```")) behind.remove_suffix(3);
        }
    }
    if (!whole.offer->has(name)) return std::nullopt;
    return Written{name, std::string(trim(behind)), {}};
}

std::optional<Calls> calls_of(std::string_view inside, const Text& text) {
    Calls calls;
    for (auto rest = trim(inside); !rest.empty(); rest = trim(rest)) {
        if (!rest.starts_with(kBegin)) return std::nullopt;
        rest.remove_prefix(kBegin.size());
        const auto end = std::min(rest.size(), rest.find(kEnd));
        auto call = call_of(rest.substr(0, end), text);
        if (!call) return std::nullopt;
        calls.push_back(std::move(*call));
        rest.remove_prefix(std::min(rest.size(), end + kEnd.size()));
    }
    return calls;
}

Reading read(const Text& text) {
    if (text.text.starts_with(kMarks[0])) return between(text, kMarks[0], kLast, calls_of);
    // One without the frame around all.
    const auto end = text.text.find(kEnd);
    if (end == std::string_view::npos && !text.ended) return wait_or_none(text);
    const auto size = end == std::string_view::npos ? text.text.size() : end + kEnd.size();
    auto calls = calls_of(text.text.substr(0, size), text);
    if (!calls || calls->empty()) return no_call();
    return {Reading::State::calls, size, std::move(*calls)};
}

}  // namespace

extern const Family kDeepSeek;
constinit const Family kDeepSeek = {.name = "deepseek", .marks = kMarks, .read = read};

}  // namespace tandem::tools
