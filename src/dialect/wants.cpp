#include "dialect/wants.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "chat/order.h"

namespace tandem::dialect {

namespace {

using chat::Message;
using chat::Role;

constexpr int kBadRequest = 400, kNotFound = 404, kUnprocessable = 422, kServerError = 500;
constexpr std::size_t kShortId = 9;
constexpr std::string_view kBetween = "Understood.";  // Mistral takes no empty turn

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

// What servers say of a field that they do not know. A value that is only too high reads otherwise.
bool is_about_the_field(std::string_view text) {
    return has_any(text, {"unsupported", "not supported", "unrecognized", "unknown", "unexpected", "extra",
                          "not permitted", "not allowed", "instead", "no such", "invalid parameter", "invalid field"});
}

bool is_short_id(std::string_view id) {
    return id.size() == kShortId && std::ranges::all_of(id, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           });
}

bool is_system(Role role) {
    return role == Role::system || role == Role::developer;
}

// Every id of a call and of its result.
template <typename Request, typename Visit>
void each_id(Request& request, Visit&& visit) {
    for (auto& message : request.messages)
        for (auto& part : message.parts) {
            if (auto* call = part.template as<chat::ToolCallPart>()) visit(call->id);
            if (auto* result = part.template as<chat::ToolResultPart>()) visit(result->call_id);
        }
}

bool is_thought(const chat::Part& part) {
    return part.as<chat::ReasoningPart>() != nullptr;
}

bool after_a_result(const Message& a, const Message& b) {
    return a.role == Role::tool && b.role == Role::user;
}

bool one_after_the_other(const Message& a, const Message& b) {
    return a.role == b.role && (a.role == Role::user || a.role == Role::assistant);
}

void put_between(std::vector<Message>& messages) {
    std::vector<Message> made;
    made.reserve(messages.size());
    for (auto& message : messages) {
        if (!made.empty() && after_a_result(made.back(), message))
            made.push_back({Role::assistant, {{chat::TextPart{std::string(kBetween)}, {}}}, {}, {}});
        made.push_back(std::move(message));
    }
    messages = std::move(made);
}

// System prompts stand at the beginning of the user's turn that follows them, or in a turn of the user's where none
// does.
void say_as_user(std::vector<Message>& messages) {
    std::vector<Message> made;
    std::vector<chat::Part> waiting;
    for (auto& message : messages) {
        if (is_system(message.role)) {
            std::ranges::move(message.parts, std::back_inserter(waiting));
            continue;
        }
        if (!waiting.empty() && message.role != Role::user)
            made.push_back({Role::user, std::exchange(waiting, {}), {}, {}});
        if (!waiting.empty()) {
            std::ranges::move(message.parts, std::back_inserter(waiting));
            message.parts = std::exchange(waiting, {});
        }
        made.push_back(std::move(message));
    }
    if (!waiting.empty()) made.push_back({Role::user, std::move(waiting), {}, {}});
    messages = std::move(made);
}

}  // namespace

Wants with_refusal(Wants wants, int status, std::string_view body) {
    // A template that fails is a server's fault to llama-server (500), and nothing that there is to mlx-lm (404).
    if (status != kBadRequest && status != kUnprocessable && status != kServerError && status != kNotFound)
        return wants;
    const auto text = lower(body);
    const auto has = [&text](std::string_view word) { return text.find(word) != std::string::npos; };
    if (has("tool call id") && has_any(text, {"length of 9", "length 9"})) wants.short_ids = true;
    if (has("role 'user' after role 'tool'")) wants.answered_results = true;
    if (has("roles must alternate")) wants.alternating = true;
    if (has("system role not supported") || has("system role is not supported")) wants.no_system = true;
    if (has_any(text, {"reasoning_content", "reasoning_details"}) && !has("missing") && is_about_the_field(text))
        wants.no_thoughts = true;
    if (status == kBadRequest || status == kUnprocessable) {
        const auto modern = text.find(Wants::kModernBound), plain = text.find(Wants::kPlainBound);
        const bool named = modern != std::string::npos || plain != std::string::npos;
        // The refused word stands first; the one to take instead may follow it.
        if (wants.bound.empty() && named && is_about_the_field(text))
            wants.bound = modern < plain ? Wants::kPlainBound : Wants::kModernBound;
    }
    return wants;
}

bool breaks(const Wants& wants, const chat::Request& request) {
    const auto& messages = request.messages;
    bool found = false;
    if (wants.short_ids) each_id(request, [&](const std::string& id) { found = found || !is_short_id(id); });
    if (wants.no_thoughts)
        found = found || std::ranges::any_of(messages, [](const Message& message) {
                    return std::ranges::any_of(message.parts, is_thought);
                });
    return found ||
           (wants.answered_results && std::ranges::adjacent_find(messages, after_a_result) != messages.end()) ||
           (wants.alternating && std::ranges::adjacent_find(messages, one_after_the_other) != messages.end()) ||
           (wants.no_system && std::ranges::any_of(messages, is_system, &Message::role));
}

void meet(const Wants& wants, chat::Request& request, std::vector<std::string>& changes) {
    if (!breaks(wants, request)) return;
    auto& messages = request.messages;
    if (wants.short_ids)
        each_id(request, [](std::string& id) {
            if (!is_short_id(id)) id = hex(sha256(id)).substr(0, kShortId);
        });
    if (wants.no_thoughts) {
        for (auto& message : messages) std::erase_if(message.parts, is_thought);
        std::erase_if(messages, [](const Message& m) { return m.role == Role::assistant && m.parts.empty(); });
        changes.emplace_back("thoughts in the history were left out: the server takes none");
    }
    if (wants.no_system && std::ranges::any_of(messages, is_system, &Message::role)) {
        say_as_user(messages);
        changes.emplace_back("the system prompt stands in the user's turn: the server takes none");
    }
    if (wants.answered_results) put_between(messages);
    if (wants.alternating) {
        chat::merge_neighbours(messages, Role::user);
        chat::merge_neighbours(messages, Role::assistant);
    }
}

}  // namespace tandem::dialect
