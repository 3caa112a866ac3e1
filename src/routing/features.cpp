#include "routing/features.h"

#include <algorithm>
#include <limits>

#include "chat/answer.h"
#include "chat/estimate.h"

namespace tandem::routing {

namespace {

constexpr std::size_t kSearched = 8 * 1024;  // bytes of each instruction that tell kinds of requests apart

bool has_image(const std::vector<chat::Part>& parts) {
    return std::ranges::any_of(parts, [](const chat::Part& part) {
        const auto* result = part.as<chat::ToolResultPart>();
        const auto* other = part.as<chat::OtherPart>();
        return part.as<chat::ImagePart>() != nullptr || (result != nullptr && has_image(result->content)) ||
               (other != nullptr && other->type == "image_url");
    });
}

}  // namespace

Features features_of(const chat::Request& request) {
    Features f;
    f.prompt_tokens = chat::estimate_prompt(request).count;
    f.most_tokens = chat::most_prompt(request).count;
    f.answer_tokens = request.max_output_tokens.value_or(0);
    f.choices = std::max<std::int64_t>(1, request.choices);
    f.context_tokens = request.context_tokens;
    f.needs.add(config::Capability::chat);
    // Tools that a provider runs are an offer, which asks nothing of a model.
    const auto is_clients = [](const chat::Tool& tool) { return tool.kind != chat::Tool::Kind::hosted; };
    if (std::ranges::any_of(request.tools, is_clients) && request.tool_choice.kind != chat::ToolChoice::Kind::none)
        f.needs.add(config::Capability::tools);
    if (request.response_format.asks_json() || request.response_format.kind == chat::ResponseFormat::Kind::other)
        f.needs.add(config::Capability::json);
    if (std::ranges::any_of(request.messages, [](const auto& m) { return has_image(m.parts); }))
        f.needs.add(config::Capability::vision);

    f.work = work_of(request);
    return f;
}

int Repeats::count(const chat::Request& request) {
    // FNV-1a; nothing depends on its quality but an estimate.
    std::uint64_t hash = 14695981039346656037ULL;
    auto add = [&](std::string_view text) {
        for (const char c : text) {
            if (c >= '0' && c <= '9') continue;
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
        }
    };
    constexpr std::size_t kBeginning = 48;
    for (const auto& message : request.messages)
        if (message.role == chat::Role::system || message.role == chat::Role::developer)
            add(chat::text_of(message.parts).substr(0, kSearched));
    add(std::string_view(chat::last_user_text(request)).substr(0, kBeginning));
    const std::lock_guard lock(mutex_);
    if (seen_.size() >= kMostKinds && !seen_.contains(hash)) seen_.clear();
    int& seen = seen_[hash];
    if (seen == std::numeric_limits<int>::max()) return seen;
    return seen++;
}

}  // namespace tandem::routing
