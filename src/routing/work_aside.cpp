#include "routing/work_aside.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/json.h"
#include "base/text.h"

namespace tandem::routing {

namespace {

// Members of what clients want back of such a call. The first few are asked for by nothing else.
constexpr std::size_t kOwnMembers = 6;
constexpr auto kMembers =
    std::to_array<std::string_view>({"title", "tags", "follow_ups", "queries", "isNewTopic", "branch", "description",
                                     "summary", "language", "emoji", "topic", "name"});

// Whether a JSON schema of an object has members of such a call and no others.
bool is_asides_shape(const chat::Raw& schema) {
    constexpr std::size_t kMostBytes = 4'000;
    if (schema.json.empty() || schema.json.size() > kMostBytes) return false;
    json::Document document;
    if (!document.parse(schema.json)) return false;
    bool own = false, other = false;
    for (const json::Value member : document.root()["properties"].children()) {
        const auto* const found = std::ranges::find(kMembers, member.key());
        other = other || found == kMembers.end();
        own = own || found < kMembers.begin() + kOwnMembers;
    }
    return own && !other;
}

// Its answer has such a shape: as the format asked for, or as the arguments of the one tool that must be called.
bool wants_asides_shape(const chat::Request& request) {
    if (is_asides_shape(request.response_format.schema)) return true;
    const bool must_call = request.tool_choice.kind == chat::ToolChoice::Kind::required ||
                           request.tool_choice.kind == chat::ToolChoice::Kind::named;
    return must_call && request.tools.size() == 1 && is_asides_shape(request.tools.front().parameters);
}

// Open WebUI's tasks beside a chat all begin so, as does its task to answer by documents, which has no history in it.
bool is_chat_interfaces_task(std::string_view text) {
    constexpr std::size_t kHead = 8'192;
    const auto head = trim(text).substr(0, kHead);
    return head.starts_with("### Task:") && head.contains("<chat_history>") && !head.contains("<context>");
}

// A client that only wants to know whether it would be answered.
bool is_probe(const AsideView& view) {
    constexpr std::int64_t kFewTokens = 2, kShort = 8;
    return view.request.tools.empty() && view.user_turns == 1 && view.user.tokens <= kShort &&
           view.request.max_output_tokens.value_or(kFewTokens + 1) <= kFewTokens;
}

bool asks_title(const AsideView& view) {
    constexpr std::size_t kMostSystem = 8'000, kMostOfAgent = 4'000;
    constexpr float kSaid = 0.3F, kSaidClearly = 0.5F;
    const auto& [request, system, system_bytes, user, user_text, user_turns, agent] = view;
    const bool system_says = system_bytes > 0 && system.has("titling") > kSaid;
    if (wants_asides_shape(request) && (request.tools.empty() || system_says || user.has("titling") > kSaid))
        return true;
    if (!request.tools.empty()) return false;
    if (agent) return system_bytes < kMostOfAgent && system_says;
    if (is_chat_interfaces_task(user_text)) return true;
    const bool writes =
        user.leads_with("write") > 0 && (user.has("long_text") > kSaidClearly || user.has("creative") > kSaidClearly);
    if (user.leads_with("titling") > 0 && !writes) return true;
    if (user.has("titling") > kSaidClearly && user.has("brief") > kSaid && !writes) return true;
    return system_bytes < kMostSystem && system_says;
}

}  // namespace

std::string_view aside_of(const AsideView& view) {
    if (is_probe(view)) return "short answer asked for";
    return asks_title(view) ? "title" : "";
}

}  // namespace tandem::routing
