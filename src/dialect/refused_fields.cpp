#include "dialect/refused_fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "dialect/losses.h"

namespace tandem::dialect {

namespace {

// Without these an answer is an answer to the same question: how to sample, how much to think, who asks, what to cache,
// and what clients repeat of an answer beside its text. All else that a server refuses is the client's to know.
constexpr auto kLeavable = std::to_array<std::string_view>({"temperature",
                                                            "top_p",
                                                            "top_k",
                                                            "min_p",
                                                            "seed",
                                                            "presence_penalty",
                                                            "frequency_penalty",
                                                            "repeat_penalty",
                                                            "repetition_penalty",
                                                            "parallel_tool_calls",
                                                            "disable_parallel_tool_use",
                                                            "reasoning_effort",
                                                            "reasoning",
                                                            "thinking",
                                                            "enable_thinking",
                                                            "chat_template_kwargs",
                                                            "output_config",
                                                            "context_management",
                                                            "verbosity",
                                                            "stream_options",
                                                            "stop",
                                                            "stop_sequences",
                                                            "store",
                                                            "metadata",
                                                            "user",
                                                            "service_tier",
                                                            "safety_identifier",
                                                            "prompt_cache_key",
                                                            "prompt_cache_retention",
                                                            "include",
                                                            "truncation",
                                                            "name",
                                                            "refusal",
                                                            "annotations",
                                                            "audio",
                                                            "function_call",
                                                            "provider_specific_fields",
                                                            "extra_content",
                                                            "strict",
                                                            "cache_control",
                                                            "defer_loading",
                                                            "eager_input_streaming",
                                                            "input_examples",
                                                            "allowed_callers",
                                                            "encoding_format"});

// Words that stand right before the name of a field.
constexpr auto kBefore = std::to_array<std::string_view>(
    {"supplied", "parameter", "parameters", "parameter(s)", "argument", "arguments", "field", "fields", "property",
     "properties", "key", "keys", "unknown name", "option", "options", "this model", "request body", "request"});

bool has_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](auto word) { return text.find(word) != std::string_view::npos; });
}

bool refuses_a_field(std::string_view clause) {
    return has_any(
        clause, {"unsupported", "not supported", "not support", "unrecognized", "unknown", "unexpected", "extra inputs",
                 "extra_forbidden", "not permitted", "not allowed", "deprecated", "only the default",
                 "only 1 is allowed", "cannot both", "no such field", "not enabled", "cannot find field"});
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// "argument supplied: store", "unknown field \"store\"", "extraneous key [store]".
bool stands_behind_a_word_for_it(std::string_view text, std::size_t at) {
    auto before = text.substr(0, at);
    const auto end = before.find_last_not_of(" :'\"`\\[({");
    if (end == std::string_view::npos || end + 1 == before.size()) return false;
    before = before.substr(0, end + 1);
    return std::ranges::any_of(kBefore, [&](std::string_view word) {
        return before.ends_with(word) &&
               (before.size() == word.size() || !is_word(before[before.size() - word.size() - 1]));
    });
}

// A word that may stand in any sentence is a field only in quotes, as a step of a path, or behind a word for fields.
bool names_a_field(std::string_view text, std::size_t at, std::string_view name, std::string_view said) {
    const auto end = at + said.size();
    if ((at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]))) return false;
    if (name != "name" && stands_behind_a_word_for_it(text, at)) return true;
    const auto rest = text.substr(end);
    if (rest.starts_with("\":") || rest.starts_with("\\\":")) return false;  // a member of the error itself
    if (name.find('_') != std::string_view::npos || name == "temperature" || name == "verbosity") return true;
    const char before = at > 0 ? text[at - 1] : ' ', after = end < text.size() ? text[end] : ' ';
    constexpr std::string_view kQuotes = "'\"`\\()[]";
    const bool quoted = kQuotes.find(before) != std::string_view::npos && kQuotes.find(after) != std::string_view::npos;
    const bool begins = before == '"' && rest.starts_with(": ");  // "store: field is not supported"
    return quoted || begins || before == '.' || (after == ':' && rest.starts_with(": extra"));
}

// Where a clause names it, as it is or as other languages write it ("presencePenalty"); npos where it does not.
std::size_t place_in(std::string_view clause, std::string_view field) {
    const auto name = lower(field.substr(field.rfind('.') + 1));
    auto other = name;
    std::erase(other, '_');
    if (name.empty()) return std::string_view::npos;
    for (const std::string_view said : {std::string_view(name), std::string_view(other)})
        for (auto at = clause.find(said); at != std::string_view::npos; at = clause.find(said, at + 1))
            if (names_a_field(clause, at, name, said)) return at;
    return std::string_view::npos;
}

// The field that a clause of a refusal names first. Where two exclude each other it is the second: top_p, which is a
// finer way to say a temperature.
std::string field_in(std::string_view clause, const std::vector<std::string>& more) {
    std::vector<std::pair<std::size_t, std::string_view>> found;
    const auto look = [&](std::string_view field) {
        if (const auto at = place_in(clause, field); at != std::string_view::npos) found.emplace_back(at, field);
    };
    std::ranges::for_each(kLeavable, look);
    std::ranges::for_each(more, look);
    std::ranges::sort(found);
    if (found.size() > 1 && has_any(clause, {"both"})) return std::string(found[1].second);
    return found.empty() ? std::string() : std::string(found[0].second);
}

// Calls visit(clause) for each sentence, and each error of a list.
template <typename Visit>
void each_clause(std::string_view text, Visit&& visit) {
    constexpr auto kEnds = std::to_array<std::string_view>({". ", ".\"", "\n", "\\n", "; ", "},"});
    while (!text.empty()) {
        auto end = text.size();
        std::size_t length = 0;
        for (const auto mark : kEnds)
            if (const auto at = text.find(mark); at < end) {
                end = at;
                length = mark.size();
            }
        visit(text.substr(0, end));
        text.remove_prefix(end + length);
    }
}

}  // namespace

bool is_about_the_field(std::string_view text) {
    return has_any(
        text, {"unsupported", "not supported", "unrecognized", "unknown", "unexpected", "extra", "not permitted",
               "not allowed", "instead", "no such", "invalid parameter", "invalid field", "not support parameter"});
}

std::vector<std::string> leavable_fields(const chat::Request& request) {
    std::vector<std::string> fields;
    const auto add = [&](const chat::Extra& extra) {
        for (const auto& [name, value] : extra)
            if (can_be_left_out(name, value)) fields.push_back(name);
    };
    add(request.extra);
    for (const auto& tool : request.tools) add(tool.extra);
    for (const auto& message : request.messages) {
        add(message.extra);
        for (const auto& part : message.parts)
            if (const auto* call = part.as<chat::ToolCallPart>()) add(call->extra);
    }
    using Format = chat::ResponseFormat::Kind;
    const auto& format = request.response_format.kind;
    if (request.choices == 1) fields.emplace_back("n");
    if (!request.logprobs) fields.insert(fields.end(), {"logprobs", "top_logprobs"});
    if (format == Format::unset || format == Format::text) fields.emplace_back("response_format");
    std::ranges::sort(fields);
    fields.erase(std::ranges::unique(fields).begin(), fields.end());
    return fields;
}

std::set<std::string> refused_fields(std::string_view refusal, const std::vector<std::string>& more) {
    std::set<std::string> fields;
    // Google's word for both of them.
    if (refusal.find("penalty is not enabled") != std::string_view::npos)
        fields.insert({"presence_penalty", "frequency_penalty"});
    if (refusal.find("'stop': array too long") != std::string_view::npos) fields.emplace("stop");
    each_clause(refusal, [&](std::string_view clause) {
        if (!refuses_a_field(clause) || clause.find("unexpected role") != std::string_view::npos) return;
        if (auto field = field_in(clause, more); !field.empty()) fields.insert(std::move(field));
    });
    return fields;
}

}  // namespace tandem::dialect
