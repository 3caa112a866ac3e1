#include "chat/order.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

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
    std::size_t missing = 0, orphans = 0, numbered = 0;
    std::unordered_set<std::string> taken, seen;
    for (const auto& message : messages)
        for (const auto& part : message.parts)
            if (const auto* call = part.as<ToolCallPart>()) taken.insert(call->id);
    // Whoever calls is the assistant, whatever a client wrote.
    for (auto& message : messages)
        if (message.role != Role::tool &&
            std::ranges::any_of(message.parts, [](const Part& p) { return p.as<ToolCallPart>() != nullptr; }))
            message.role = Role::assistant;
    // Ids that are missing, or that a server gives to the first call of each turn, become unique.
    auto unique_id = [&](const std::string& id) {
        if (!id.empty() && seen.insert(id).second) return id;
        std::string fresh;
        do fresh = "call_" + std::to_string(++numbered);
        while (taken.contains(fresh) || !seen.insert(fresh).second);
        return fresh;
    };
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (messages[i].role == Role::tool) {
            if (used[i] || messages[i].parts.empty()) continue;
            if (!messages[i].parts[0].as<ToolResultPart>()) continue;
            ++orphans;
            ordered.push_back(orphan(std::move(messages[i])));
            continue;
        }
        const bool last = i + 1 == messages.size();
        ordered.push_back(std::move(messages[i]));
        const std::size_t turn = ordered.size() - 1;
        for (std::size_t p = 0; p < ordered[turn].parts.size(); ++p) {
            auto* call = ordered[turn].parts[p].as<ToolCallPart>();
            if (call == nullptr) continue;
            const auto found = results.find(call->id);
            call->id = unique_id(call->id);
            const ToolCallPart made = *call;
            std::size_t place = 0;
            if (found != results.end())
                for (const auto candidate : found->second)
                    if (candidate > i && !used[candidate] && place == 0) place = candidate;
            if (place == 0) {
                if (last) continue;  // it is being asked what to do with it
                ++missing;
                ordered.push_back(missing_result(made));
                continue;
            }
            used[place] = true;
            auto& result = *messages[place].parts[0].as<ToolResultPart>();
            result.call_id = made.id;
            if (result.name.empty()) result.name = made.name;
            result.custom = result.custom || made.custom;
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
