#include "dialect/wants.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/hash.h"
#include "base/text.h"
#include "chat/order.h"
#include "dialect/losses.h"
#include "dialect/plain_schema.h"
#include "dialect/refused_fields.h"

namespace tandem::dialect {

namespace {

using chat::Message;
using chat::Role;

constexpr int kBadRequest = 400, kNotFound = 404, kUnprocessable = 422, kServerError = 500;
constexpr std::size_t kShortId = 9;
constexpr std::string_view kBetween = "Understood.";  // Mistral takes no empty turn

// Those that decoding forgets where they say nothing ("refusal": null): saying a message anew leaves them out.
constexpr auto kForgotten = std::to_array<std::string_view>(
    {"refusal", "audio", "annotations", "function_call", "n", "logprobs", "top_logprobs", "response_format"});
constexpr auto kEfforts =
    std::to_array<std::string_view>({"none", "minimal", "low", "medium", "high", "xhigh", "max", "default"});

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

bool is_short_id(std::string_view id) {
    return id.size() == kShortId && std::ranges::all_of(id, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           });
}

bool is_system(Role role) {
    return role == Role::system || role == Role::developer;
}

bool has_several_systems(const chat::Request& request) {
    return has_late_system(request) || std::ranges::count_if(request.messages, is_system, &Message::role) > 1;
}

// The beginning of an answer at the end of a conversation, as Mistral and DeepSeek mark it.
const std::pair<std::string, chat::Raw> kMarked = {"prefix", {"true"}};
bool has_unmarked_beginning(const chat::Request& request) {
    if (request.messages.empty() || request.messages.back().role != Role::assistant) return false;
    const auto& last = request.messages.back();
    const bool calls =
        std::ranges::any_of(last.parts, [](const auto& p) { return p.template as<chat::ToolCallPart>(); });
    return !calls && std::ranges::find(last.extra, kMarked.first, &decltype(kMarked)::first) == last.extra.end();
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

bool is_about_effort(std::string_view text) {
    return has_any(text, {"reasoning_effort", "reasoning.effort", "output_config.effort", "'effort'", "`effort`"});
}

// The words for effort that a refusal of another one lists.
std::vector<std::string> efforts_in(std::string_view text) {
    auto at = std::string_view::npos;
    for (const auto* list : {"supported values", "one of", "should be", "valid values", "allowed values", "expected"})
        at = std::min(at, text.find(list));
    if (at == std::string_view::npos) return {};
    text.remove_prefix(at);
    std::vector<std::string> found;
    for (const auto word : kEfforts)
        for (const char quote : {'\'', '"', '`'})
            if (text.find(fmt::format("{}{}", quote, word)) != std::string_view::npos) {
                found.emplace_back(word);
                break;
            }
    return found;
}

void read_fields(std::string_view text, const std::vector<std::string>& leavable, Wants& wants) {
    const bool effort = is_about_effort(text);
    auto words = effort ? efforts_in(text) : std::vector<std::string>();
    if (!words.empty()) {
        wants.efforts = std::move(words);
        return;
    }
    wants.no_fields.merge(refused_fields(text, leavable));
}

// "Thinking level MEDIUM is not supported for this model."
std::string_view refused_level(std::string_view text) {
    constexpr std::string_view kBefore = "thinking level ";
    const auto at = text.find(kBefore);
    if (at == std::string_view::npos) return {};
    const auto word = text.substr(at + kBefore.size(), text.find(' ', at + kBefore.size()) - at - kBefore.size());
    const bool known = std::ranges::find(kEfforts, word) != kEfforts.end();
    return known && text.substr(at).find("not supported") != std::string_view::npos ? word : std::string_view();
}

void read_thinking(std::string_view text, Wants& wants) {
    using Thinking = Wants::Thinking;
    if (const auto level = refused_level(text); !level.empty()) {
        if (wants.efforts.empty()) wants.efforts = {"minimal", "low", "medium", "high"};
        std::erase(wants.efforts, level);
        return;
    }
    if (has_any(text, {"adaptive thinking is not supported", "thinking level is not supported",
                       "thinking_level is not supported", "does not support the effort parameter"}))
        wants.thinking = Thinking::by_budget;
    else if (text.find("thinking.type.enabled") != std::string_view::npos && is_about_the_field(text))
        wants.thinking = Thinking::by_effort;
    else if (has_any(text, {"does not support thinking", "thinking is not supported", "not support reasoning",
                            "thinking budget is not supported"}))
        wants.thinking = Thinking::never;
    // DeepSeek and Kimi have one member for it, Qwen another.
    if (text.find("tool_choice") != std::string_view::npos && text.find("thinking") != std::string_view::npos &&
        has_any(text, {"not support", "incompatible"}))
        wants.thoughts_off = text.find("in thinking mode") != std::string_view::npos ? "enable_thinking" : "thinking";
    if (has_any(text, {"only works in thinking mode", "thinking can't be disabled", "thinking cannot be disabled",
                       "reasoning is mandatory", "reasoning cannot be disabled"}))
        wants.always_thinks = true;
}

bool refuses_a_schema(std::string_view text) {
    if (has_any(text, {"response_format", "text.format", "responseschema", "response_schema", "responsejsonschema"}))
        return false;
    if (has_any(text, {"moonshot flavored json schema", "invalid schema for function", "json schema conversion failed",
                       "json schema is invalid", "invalid json schema", "failed to parse grammar"}))
        return true;
    if (text.find("function_declarations") != std::string_view::npos)
        return has_any(text,
                       {"unknown name", "cannot find field", "is not defined", "only allowed for", "invalid value",
                        "non-empty", "proto field", "schema.ref", "missing field", "didn't specify"});
    return has_any(text, {"input_schema", "function.parameters", "tool schema", "tool parameters", "function schema",
                          "schema for tool"}) &&
           (is_about_the_field(text) || has_any(text, {"does not support", "invalid", "must not", "must be"}));
}

// ---- what a request has of them ----

// Calls value(place) for each place of the request that a field stands in, and extra(list) for each list of members
// that only the client's dialect knows.
template <typename Request, typename OnValue, typename OnExtra>
void each_place(std::string_view field, Request& request, OnValue&& value, OnExtra&& extra) {
    auto& s = request.sampling;
    if (field == "temperature") value(s.temperature);
    if (field == "top_p") value(s.top_p);
    if (field == "top_k") value(s.top_k);
    if (field == "min_p") value(s.min_p);
    if (field == "seed") value(s.seed);
    if (field == "presence_penalty") value(s.presence_penalty);
    if (field == "frequency_penalty") value(s.frequency_penalty);
    if (field == "repeat_penalty") value(s.repeat_penalty);
    if (field == "parallel_tool_calls" || field == "disable_parallel_tool_use") value(request.parallel_tool_calls);
    if (field == "thinking" || field == "enable_thinking") value(request.thinking);
    if (field == "reasoning_effort" || field == "reasoning" || field == "output_config") value(request.thinking.effort);
    if (field == "reasoning") value(request.thinking.summary);
    if (field == "verbosity") value(request.verbosity);
    if (field == "stream_options") value(request.include_usage);
    if (field == "response_format" && request.response_format.kind == chat::ResponseFormat::Kind::text)
        value(request.response_format);
    if (field == "stop" || field == "stop_sequences") value(request.stop);
    extra(request.extra);
    for (auto& tool : request.tools) {
        extra(tool.extra);
        if (field == "strict") value(tool.strict);
        if (field == "cache_control") value(tool.cache);
    }
    for (auto& message : request.messages) {
        extra(message.extra);
        if (field == "name") value(message.name);
        for (auto& part : message.parts) {
            if (field == "cache_control") value(part.cache);
            if (auto* call = part.template as<chat::ToolCallPart>()) extra(call->extra);
        }
    }
}

bool has_field(std::string_view field, const chat::Request& request) {
    bool found = false;
    each_place(
        field, request, [&](const auto& value) { found = found || !(value == std::remove_cvref_t<decltype(value)>{}); },
        [&](const chat::Extra& extra) {
            found = found || std::ranges::any_of(extra, [&](const auto& one) { return one.first == field; });
        });
    return found;
}

void leave_out(std::string_view field, chat::Request& request) {
    each_place(
        field, request, [](auto& value) { value = {}; },
        [&](chat::Extra& extra) { std::erase_if(extra, [&](const auto& one) { return one.first == field; }); });
    if (field != "refusal") return;
    for (auto& message : request.messages)
        for (auto& part : message.parts)
            if (const auto* refusal = part.as<chat::RefusalPart>()) part.body = chat::TextPart{refusal->text};
}

bool must_call(const chat::Request& request) {
    using Choice = chat::ToolChoice::Kind;
    return request.tool_choice.kind == Choice::required || request.tool_choice.kind == Choice::named;
}

// What turns thoughts off where a tool must be called.
std::pair<std::string, chat::Raw> off_by(std::string_view member) {
    return {std::string(member), {member == "thinking" ? R"({"type":"disabled"})" : "false"}};
}

bool is_forgotten(const std::string& field) {
    return std::ranges::find(kForgotten, field) != kForgotten.end();
}

// ---- how to think ----

std::ptrdiff_t place_of_effort(std::string_view word) {
    if (word == "default") word = "medium";
    return std::ranges::find(kEfforts, word) - kEfforts.begin();
}

std::string nearest_effort(const std::string& effort, const std::vector<std::string>& known) {
    const auto off = [](const std::string& word) { return word == "none"; };
    if (std::ranges::find(known, effort) != known.end()) return effort;
    const std::string* best = nullptr;
    const auto distance = [&](const std::string& word) {
        return std::abs(place_of_effort(word) - place_of_effort(effort));
    };
    for (const auto& word : known)
        if (!off(word) && (best == nullptr || distance(word) < distance(*best))) best = &word;
    return best == nullptr ? std::string() : *best;
}

std::int64_t budget_of(std::string_view effort) {
    if (effort == "minimal") return 1024;
    if (effort == "low") return 2048;
    if (effort == "high") return 16'384;
    if (effort == "xhigh" || effort == "max") return 24'576;
    return 8192;
}

std::string effort_of(std::int64_t budget) {
    return budget <= budget_of("low") ? "low" : budget <= budget_of("medium") ? "medium" : "high";
}

chat::Thinking thinking_for(const Wants& wants, chat::Thinking thinking) {
    using Thinking = Wants::Thinking;
    const bool off = thinking.on == false || thinking.effort == "none";
    if (wants.always_thinks && off) return {};
    if (wants.thinking == Thinking::never) return {};
    if (wants.thinking == Thinking::by_budget) {
        const bool asked = thinking.on == true || (!thinking.effort.empty() && !thinking.on);
        if (!off && asked && !thinking.budget_tokens) {
            thinking.budget_tokens = budget_of(thinking.effort);
            thinking.on = true;
        }
        if (!off) thinking.effort.clear();
    }
    if (wants.thinking == Thinking::by_effort && thinking.budget_tokens) {
        if (thinking.effort.empty()) thinking.effort = effort_of(*thinking.budget_tokens);
        thinking.budget_tokens.reset();
    }
    if (!wants.efforts.empty() && !thinking.effort.empty())
        thinking.effort = nearest_effort(thinking.effort, wants.efforts);
    return thinking;
}

// ---- what a refusal quotes ----

template <typename Visit>
void each_text(const json::Value& value, Visit&& visit) {
    if (const auto text = value.string()) visit(*text);
    for (const json::Value child : value.children()) each_text(child, visit);
}

// Cuts a text out of `words` wherever it is quoted: whole, or, since servers shorten what they quote, as far as it goes
// from its beginning or back from its end.
void cut_quotes(std::string& words, std::string_view text) {
    constexpr std::size_t kLeast = 12, kEnds = 16;  // shorter texts are words like "system", which servers use too
    if (text.size() < kLeast) return;
    const auto begin = text.substr(0, kEnds), end = text.substr(text.size() - std::min(text.size(), kEnds));
    for (auto at = words.find(begin); at != std::string::npos; at = words.find(begin, at)) {
        std::size_t size = begin.size();
        while (size < text.size() && at + size < words.size() && words[at + size] == text[size]) ++size;
        words.erase(at, size);
    }
    for (auto at = words.find(end); at != std::string::npos; at = words.find(end)) {
        std::size_t size = end.size(), from = at;
        while (from > 0 && size < text.size() && words[from - 1] == text[text.size() - size - 1]) {
            --from;
            ++size;
        }
        words.erase(from, size);
    }
}

// ---- schemas ----

bool has_rich_schema(const chat::Tool& tool) {
    return tool.kind == chat::Tool::Kind::function && tool.parameters.given() &&
           plain_schema(tool.parameters.json, tool.strict == true) != tool.parameters.json;
}

}  // namespace

std::string own_words_of(std::string_view refusal, const json::Value& request) {
    constexpr std::size_t kMostTexts = 20'000, kLooked = 16UL << 10;
    auto words = lower(refusal.substr(0, kLooked));
    if (words.empty()) return words;
    std::size_t texts = 0;
    each_text(request, [&](std::string_view text) {
        if (++texts <= kMostTexts) cut_quotes(words, lower(text));
    });
    return texts <= kMostTexts ? words : std::string();
}

Wants with_refusal(Wants wants, int status, std::string_view body, const std::vector<std::string>& leavable) {
    // A template that fails is a server's fault to llama-server (500), and nothing that there is to mlx-lm (404).
    if (status != kBadRequest && status != kUnprocessable && status != kServerError && status != kNotFound)
        return wants;
    const auto text = lower(body);
    const auto has = [&text](std::string_view word) { return text.find(word) != std::string::npos; };
    if (has("tool call id") && has_any(text, {"length of 9", "length 9"})) wants.short_ids = true;
    if (has("role 'user' after role 'tool'")) wants.answered_results = true;
    if (has_any(text, {"roles must alternate", "should alternate with assistant"})) wants.alternating = true;
    if (has_any(text, {"system role not supported", "system role is not supported",
                       "only user and assistant roles are supported"}))
        wants.no_system = true;
    if (has_any(text, {"system message must be at the beginning", "system messages must be at the beginning",
                       "system message must be the first", "role 'system' after role"}))
        wants.system_first = true;
    if (has_any(text, {"only support stream mode", "only supports stream", "stream must be set to true",
                       "streaming is required", "for non-streaming calls"}))
        wants.streams_only = true;
    if (has("assistant with prefix true")) wants.marked_beginnings = true;
    if (has_any(text, {"reasoning_content", "reasoning_details"}) && !has("missing") && is_about_the_field(text))
        wants.no_thoughts = true;
    if (status == kBadRequest || status == kUnprocessable) {
        const auto modern = text.find(Wants::kModernBound), plain = text.find(Wants::kPlainBound);
        const bool named = modern != std::string::npos || plain != std::string::npos;
        // The refused word stands first; the one to take instead may follow it.
        if (wants.bound.empty() && named && is_about_the_field(text))
            wants.bound = modern < plain ? Wants::kPlainBound : Wants::kModernBound;
    }
    if (status == kServerError || status == kNotFound) {
        wants.plain_schemas = wants.plain_schemas || has_any(text, {"json schema conversion failed"});
        return wants;
    }
    if (refuses_a_schema(text)) {
        wants.plain_schemas = true;
        return wants;
    }
    const auto before = wants;
    read_thinking(text, wants);
    if (wants == before) read_fields(text, leavable, wants);
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
    if (wants.plain_schemas) found = found || std::ranges::any_of(request.tools, has_rich_schema);
    if (!(thinking_for(wants, request.thinking) == request.thinking)) found = true;
    if (!wants.thoughts_off.empty() && must_call(request))
        found = found || std::ranges::find(request.extra, off_by(wants.thoughts_off)) == request.extra.end();
    for (const auto& field : wants.no_fields) found = found || is_forgotten(field) || has_field(field, request);
    return found ||
           (wants.answered_results && std::ranges::adjacent_find(messages, after_a_result) != messages.end()) ||
           (wants.alternating && std::ranges::adjacent_find(messages, one_after_the_other) != messages.end()) ||
           (wants.no_system && std::ranges::any_of(messages, is_system, &Message::role)) ||
           (wants.system_first && has_several_systems(request)) ||
           (wants.marked_beginnings && has_unmarked_beginning(request));
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
    if (wants.system_first && has_several_systems(request)) {
        say_late_system_as_user(request);
        for (auto& message : messages)
            if (message.role == Role::developer) message.role = Role::system;
        chat::merge_neighbours(messages, Role::system);
        changes.emplace_back(
            "system prompts behind the first stand in it, or in a user's turn: the server takes one, at the beginning");
    }
    if (auto thinking = thinking_for(wants, request.thinking); !(thinking == request.thinking)) {
        request.thinking = std::move(thinking);
        changes.emplace_back("how much to think was said in the server's way");
    }
    if (!wants.thoughts_off.empty() && must_call(request)) {
        std::erase_if(request.extra, [&](const auto& one) { return one.first == wants.thoughts_off; });
        request.extra.push_back(off_by(wants.thoughts_off));
        request.thinking = {};
        changes.emplace_back("thinking was turned off: the server takes no forced call beside it");
    }
    for (const auto& field : wants.no_fields) {
        if (has_field(field, request))
            changes.push_back(fmt::format("{} was left out: the server refuses it for this model", field));
        leave_out(field, request);
    }
    if (wants.plain_schemas && std::ranges::any_of(request.tools, has_rich_schema)) {
        for (auto& tool : request.tools)
            if (has_rich_schema(tool)) tool.parameters.json = plain_schema(tool.parameters.json, tool.strict == true);
        changes.emplace_back("schemas of tools were said in plainer words: the server refuses the client's");
    }
    if (wants.marked_beginnings && has_unmarked_beginning(request)) messages.back().extra.push_back(kMarked);
    if (wants.answered_results) put_between(messages);
    if (wants.alternating) {
        chat::merge_neighbours(messages, Role::user);
        chat::merge_neighbours(messages, Role::assistant);
    }
}

}  // namespace tandem::dialect
