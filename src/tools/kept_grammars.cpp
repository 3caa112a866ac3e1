#include "tools/kept_grammars.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::tools {

namespace {

// With its length in front, so that two texts are never one.
void add(std::string& all, std::string_view text) {
    all += fmt::format("{} ", text.size());
    all += text;
}

void add(std::string& all, const chat::ResponseFormat& format) {
    add(all, std::to_string(static_cast<int>(format.kind)));
    add(all, format.schema.json);
}

// All that hold_calls() looks at.
std::string made_from(const chat::Request& request) {
    std::string all = "calls ";
    add(all, std::to_string(static_cast<int>(request.tool_choice.kind)));
    add(all, request.tool_choice.name);
    add(all, request.parallel_tool_calls == false ? "one" : "many");
    add(all, request.response_format);
    for (const auto& tool : request.tools) {
        add(all, std::to_string(static_cast<int>(tool.kind)));
        add(all, tool.name);
        add(all, tool.parameters.json);
    }
    return all;
}

}  // namespace

template <typename Make>
std::shared_ptr<const Held> KeptGrammars::kept_or(const Digest& made_from, Make&& make) {
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::ranges::find(kept_, made_from, &Kept::made_from);
        if (found != kept_.end()) {
            std::rotate(found, found + 1, kept_.end());
            return kept_.back().held;
        }
    }
    auto made = make();
    auto held = made ? std::make_shared<const Held>(std::move(*made)) : nullptr;
    const std::lock_guard lock(mutex_);
    if (kept_.size() >= kMost) kept_.erase(kept_.begin());
    kept_.push_back({made_from, held});
    return held;
}

std::shared_ptr<const Held> KeptGrammars::calls(const chat::Request& request) {
    return kept_or(sha256(made_from(request)), [&] { return hold_calls(request); });
}

std::shared_ptr<const Held> KeptGrammars::answer(const chat::ResponseFormat& format) {
    std::string all = "answer ";
    add(all, format);
    return kept_or(sha256(all), [&] { return hold_answer(format); });
}

}  // namespace tandem::tools
