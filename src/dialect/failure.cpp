#include "dialect/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/text.h"
#include "dialect/fields.h"

namespace tandem::dialect {

namespace {

using chat::Finish;
using json::Value;

using Words = std::span<const std::string_view>;

bool is_one_of(std::string_view word, Words words) {
    return std::ranges::find(words, word) != words.end();
}
bool has_one_of(std::string_view word, Words pieces) {
    return std::ranges::any_of(pieces, [&](std::string_view p) { return word.find(p) != std::string_view::npos; });
}

// OpenAI, Anthropic, Gemini, Ollama, Mistral, Cohere, TGI, Bedrock, GLM, DeepSeek and servers like them.
constexpr std::string_view kStops[] = {"stop",     "end_turn", "eos",       "eos_token", "end",
                                       "complete", "finished", "completed", "normal",    "stop_sequence"};
constexpr std::string_view kLengths[] = {"length",     "max_tokens",  "max_output_tokens", "model_length",
                                         "max_length", "token_limit", "max_new_tokens",    "max_completion_tokens"};
constexpr std::string_view kCalls[] = {"tool_calls", "function_call", "tool_use", "tool_call", "function_calls"};
constexpr std::string_view kFilters[] = {
    "content_filter", "content_filtered",   "safety",   "sensitive",        "refusal",     "recitation",
    "blocklist",      "prohibited_content", "spii",     "language",         "moderation",  "guardrail",
    "image_safety",   "image_recitation",   "no_image", "image_prohibited", "error_toxic", "toxic",
    "image_other"};
// Of a model that wrote no call, or of a provider that gave up.
constexpr std::string_view kFailures[] = {"error",
                                          "fail",
                                          "abort",
                                          "cancel",
                                          "overload",
                                          "insufficient_system_resource",
                                          "timeout",
                                          "time_limit",
                                          "unavailable",
                                          "malformed_function_call",
                                          "malformed_response",
                                          "unexpected_tool_call",
                                          "too_many_tool_calls",
                                          "missing_thought_signature"};

// What an error within a 200 is about, by the HTTP status or the word that it has.
FaultCode code_in(const Value& error) {
    for (const auto* name : {"code", "status", "status_code", "statusCode", "http_status", "error_code"}) {
        const auto number = error[name].integer().value_or(whole_number(error[name].text()).value_or(0));
        if (number == 429 || number == 408) return ErrorCode::rate_limited;
        if (number == 401 || number == 403) return ErrorCode::unauthenticated;
        if (number == 404) return ErrorCode::not_found;
    }
    static constexpr std::string_view kLater[] = {"rate_limit", "too_many_requests", "resource_exhausted",
                                                  "quota",      "throttl",           "rate limit"};
    static constexpr std::string_view kKey[] = {"authentication", "invalid_api_key", "unauthenticated", "unauthorized",
                                                "permission"};
    for (const auto* name : {"code", "type", "status", "error_type"}) {
        const auto word = lower(error[name].text());
        if (has_one_of(word, kLater)) return ErrorCode::rate_limited;
        if (has_one_of(word, kKey)) return ErrorCode::unauthenticated;
    }
    return Fault::provider_error;
}

bool is_about_context(const Value& error, std::string_view message) {
    static constexpr std::string_view kCodes[] = {"context_length", "exceed_context", "context_window"};
    static constexpr std::string_view kSaid[] = {"maximum context length", "prompt is too long",
                                                 "exceeds the available context size", "exceeds maximum context length",
                                                 "exceeds the maximum number of tokens"};
    return has_one_of(lower(error["code"].text()), kCodes) || has_one_of(lower(error["type"].text()), kCodes) ||
           has_one_of(lower(message), kSaid);
}

std::string_view first_text(const Value& object, std::initializer_list<const char*> names) {
    for (const auto* name : names)
        if (const auto text = object[name].text(); !text.empty()) return text;
    return {};
}

// "" and {} and false are no errors, though some servers send them on every event.
bool says_error(const Value& error) {
    if (!given(error) || error.boolean() == false) return false;
    return error.string() ? !error.text().empty() : !error.is(json::Kind::object) || error.size() > 0;
}

bool is_answer(const Value& data) {
    for (const auto* name : {"choices", "candidates", "output", "content"})
        if (data[name].size() > 0) return true;
    return data["message"].is(json::Kind::object) || data["response"].string() || data["done"].exists() ||
           data["usage"].is(json::Kind::object) || data["delta"].is(json::Kind::object);
}

Words known_words(dialect::Kind kind) {
    static constexpr std::string_view kChat[] = {"stop", "length", "tool_calls", "content_filter", "function_call"};
    static constexpr std::string_view kAnthropic[] = {"end_turn",
                                                      "max_tokens",
                                                      "stop_sequence",
                                                      "tool_use",
                                                      "pause_turn",
                                                      "refusal",
                                                      "model_context_window_exceeded",
                                                      "compaction"};
    static constexpr std::string_view kGemini[] = {"STOP",
                                                   "MAX_TOKENS",
                                                   "SAFETY",
                                                   "RECITATION",
                                                   "LANGUAGE",
                                                   "OTHER",
                                                   "BLOCKLIST",
                                                   "PROHIBITED_CONTENT",
                                                   "SPII",
                                                   "IMAGE_SAFETY",
                                                   "IMAGE_PROHIBITED_CONTENT",
                                                   "IMAGE_RECITATION",
                                                   "IMAGE_OTHER",
                                                   "NO_IMAGE",
                                                   "FINISH_REASON_UNSPECIFIED"};
    static constexpr std::string_view kOllama[] = {"stop", "length", "load", "unload"};
    switch (kind) {
        case dialect::Kind::openai_chat:
            return kChat;
        case dialect::Kind::anthropic:
            return kAnthropic;
        case dialect::Kind::gemini:
            return kGemini;
        case dialect::Kind::ollama:
            return kOllama;
        case dialect::Kind::openai_responses:
            break;
    }
    return {};
}

std::string_view own_word(dialect::Kind kind, Finish reason, bool calls) {
    const bool chat = kind == dialect::Kind::openai_chat, anthropic = kind == dialect::Kind::anthropic;
    const bool gemini = kind == dialect::Kind::gemini;
    if (reason == Finish::length || reason == Finish::context)
        return anthropic ? "max_tokens" : gemini ? "MAX_TOKENS" : "length";
    if (reason == Finish::content_filter)
        return chat ? "content_filter" : anthropic ? "refusal" : gemini ? "SAFETY" : "stop";
    if (reason == Finish::tool_calls || calls)
        return chat ? "tool_calls" : anthropic ? "tool_use" : gemini ? "STOP" : "stop";
    return anthropic ? "end_turn" : gemini ? "STOP" : "stop";
}

}  // namespace

Ending ending_of(std::string_view word) {
    const auto plain = lower(word);
    if (is_one_of(plain, kStops)) return {Finish::stop, false};
    if (is_one_of(plain, kLengths)) return {Finish::length, false};
    if (is_one_of(plain, kCalls)) return {Finish::tool_calls, false};
    if (plain == "pause_turn") return {Finish::pause, false};
    if (plain == "model_context_window_exceeded") return {Finish::context, false};
    // Gemini says "content_filter: PROHIBITED_CONTENT" in OpenAI's words, Cohere ERROR_TOXIC.
    if (has_one_of(plain, kFilters)) return {Finish::content_filter, false};
    return {Finish::other, has_one_of(plain, kFailures)};
}

chat::Event end_event(std::int64_t choice, std::string_view word, bool calls) {
    const auto ending = ending_of(word);
    if (ending.failed)
        return chat::Failed{
            Error{Fault::provider_error, fmt::format("the provider ended its answer with '{}'", printable(word, 60))}};
    if (calls && (ending.reason == Finish::stop || ending.reason == Finish::other))
        return chat::Finished{choice, Finish::tool_calls, {}};
    return chat::Finished{choice, ending.reason, ending.reason == Finish::other ? std::string(word) : std::string()};
}

Error error_in(const Value& error, std::string_view otherwise) {
    constexpr std::size_t kQuoted = 500;
    auto text = error.is(json::Kind::object)
                    ? first_text(error, {"message", "msg", "detail", "error_msg", "status_msg"})
                    : error.string().value_or("");
    if (text.empty()) text = otherwise.empty() ? std::string_view("the provider sent an error") : otherwise;
    Error said{Fault::provider_error, printable(text, kQuoted)};
    said.code = is_about_context(error, text) ? Fault::prompt_too_long : code_in(error);
    return said;
}

std::optional<Error> failure_in(const Value& data) {
    if (!data.is(json::Kind::object)) return {};
    if (const Value error = data["error"]; says_error(error)) {
        auto said = error_in(error, first_text(data, {"message", "msg", "detail"}));
        if (said.code == ErrorCode::upstream) said.code = code_in(data);
        return said;
    }
    // MiniMax has it beside an answer that is none.
    if (const Value base = data["base_resp"]; base["status_code"].integer().value_or(0) != 0)
        return error_in(base, base["status_msg"].text());
    if (is_answer(data)) return {};
    const auto message = first_text(data, {"message", "msg", "error_msg", "error_message", "errorMessage"});
    if (data["object"].text() == "error" || data["type"].text() == "error" || data["status"].text() == "error")
        return error_in(data, message);
    if (const Value errors = data["errors"]; errors.is(json::Kind::array) && errors.size() > 0)
        return error_in(*begin(errors.children()), message);
    if (data["success"].boolean() == false) return error_in(data, message);
    if (const Value detail = data["detail"]; says_error(detail)) {
        if (detail.is(json::Kind::array) && detail.size() > 0) return error_in(*begin(detail.children()), "");
        return error_in(detail.is(json::Kind::object) ? detail : data, detail.text());
    }
    const bool coded = given(data["code"]) || given(data["status_code"]) || given(data["error_code"]);
    if (coded && !message.empty()) return error_in(data, message);
    return {};
}

std::optional<std::string> with_known_endings(dialect::Kind kind, const json::Document& answer, bool calls,
                                              bool calls_end_so) {
    const bool chat_or_anthropic = kind == dialect::Kind::openai_chat || kind == dialect::Kind::anthropic;
    const bool no_stop = calls && calls_end_so && chat_or_anthropic;
    const auto words = known_words(kind);
    Splice splice(answer);
    bool changed = false;
    auto look = [&](const Value& word) {
        const auto text = word.string();
        if (words.empty() || !text || text->empty()) return;
        const bool hides_calls = no_stop && (*text == "stop" || *text == "end_turn");
        if (is_one_of(*text, words) && !hides_calls) return;
        splice.replace(word, json::quoted(own_word(kind, ending_of(*text).reason, calls)));
        changed = true;
    };
    const Value root = answer.root();
    look(root["stop_reason"]);
    look(root["delta"]["stop_reason"]);
    look(root["done_reason"]);
    for (const Value choice : root["choices"].children()) look(choice["finish_reason"]);
    for (const Value element : root.is(json::Kind::array) ? root.children() : Value().children())
        for (const Value candidate : element["candidates"].children()) look(candidate["finishReason"]);
    for (const Value candidate : root["candidates"].children()) look(candidate["finishReason"]);
    return changed ? std::optional(splice.take()) : std::nullopt;
}

}  // namespace tandem::dialect
