#include "chat/order.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "chat/answer.h"

namespace tandem::chat {

namespace {

Message missing_result(const ToolCallPart& call) {
    ToolResultPart result;
    result.call_id = call.id;
    result.name = call.name;
    result.custom = call.custom;
    result.content.push_back({TextPart{"(no result: the call was interrupted)"}, {}});
    return {Role::tool, {{std::move(result), {}}}, {}, {}};
}

Message orphan(Message message) {
    const auto& result = *message.parts[0].as<ToolResultPart>();
    Message user;
    std::string intro = "Result of a tool call";
    if (!result.name.empty()) intro += " of " + result.name;
    user.parts.push_back({TextPart{intro + ":"}, {}});
    for (const auto& part : result.content) user.parts.push_back(part);
    return user;
}

}  // namespace

void order_results(std::vector<Message>& messages, std::vector<std::string>& changes) {
    // Each result by its call. The first call of an id that has none yet takes it.
    std::unordered_map<std::string, std::vector<std::size_t>> results;
    for (std::size_t i = 0; i < messages.size(); ++i)
        if (messages[i].role == Role::tool && !messages[i].parts.empty())
            if (const auto* result = messages[i].parts[0].as<ToolResultPart>()) results[result->call_id].push_back(i);
    std::vector<Message> ordered;
    std::vector<bool> used(messages.size(), false);
    std::size_t missing = 0, orphans = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].role == Role::tool) {
            if (used[i] || messages[i].parts.empty()) continue;
            if (!messages[i].parts[0].as<ToolResultPart>()) continue;
            ++orphans;
            ordered.push_back(orphan(std::move(messages[i])));
            continue;
        }
        std::vector<ToolCallPart> calls;
        for (const auto& part : messages[i].parts)
            if (const auto* call = part.as<ToolCallPart>()) calls.push_back(*call);
        const bool last = i + 1 == messages.size();
        ordered.push_back(std::move(messages[i]));
        for (const auto& call : calls) {
            const auto found = results.find(call.id);
            std::size_t place = 0;
            if (found != results.end())
                for (const auto candidate : found->second)
                    if (candidate > i && !used[candidate] && place == 0) place = candidate;
            if (place == 0) {
                if (last) continue;  // it is being asked what to do with it
                ++missing;
                ordered.push_back(missing_result(call));
                continue;
            }
            used[place] = true;
            auto& result = *messages[place].parts[0].as<ToolResultPart>();
            if (result.name.empty()) result.name = call.name;
            result.custom = result.custom || call.custom;
            ordered.push_back(std::move(messages[place]));
        }
    }
    if (missing > 0) changes.emplace_back("calls without a result got one that says so");
    if (orphans > 0) changes.emplace_back("results without a call became text of the user");
    messages = std::move(ordered);
}

void merge_neighbours(std::vector<Message>& messages, Role role) {
    std::vector<Message> merged;
    for (auto& message : messages) {
        if (message.role == role && !merged.empty() && merged.back().role == role) {
            std::ranges::move(message.parts, std::back_inserter(merged.back().parts));
            continue;
        }
        merged.push_back(std::move(message));
    }
    messages = std::move(merged);
}

bool has_neighbours(const std::vector<Message>& messages, Role role) {
    return std::ranges::adjacent_find(messages, [role](const Message& a, const Message& b) {
               return a.role == role && b.role == role;
           }) != messages.end();
}

}  // namespace tandem::chat
