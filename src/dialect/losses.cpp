#include "dialect/losses.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "chat/answer.h"
#include "chat/order.h"
#include "dialect/fields.h"
#include "dialect/web_search.h"

namespace tandem::dialect {

namespace {

using chat::Message;
using chat::Part;
using chat::Request;
using chat::Role;

constexpr auto K = Verdict::kept;
constexpr auto C = Verdict::changed;
constexpr auto H = Verdict::hint;
constexpr auto R = Verdict::refused;

bool own(const Request& request, Speaker target) {
    return request.dialect == name_of(kind_of(target));
}

// Chat Completions has many speakers, and some take more than OpenAI does: what its own client says is handed on.
bool own_chat(const Request& request, Speaker target) {
    return own(request, target) && kind_of(target) == Kind::openai_chat;
}

// Whether any part, those inside results too, is so.
template <typename Test>
bool any_part(const Request& request, Test&& test) {
    for (const auto& message : request.messages)
        for (const auto& part : message.parts) {
            if (test(part)) return true;
            if (const auto* result = part.as<chat::ToolResultPart>())
                if (std::ranges::any_of(result->content, test)) return true;
        }
    return false;
}

// Takes out the parts that are so; a message that becomes empty goes too.
template <typename Test>
void remove_parts(Request& request, Test&& test) {
    for (auto& message : request.messages)
        for (auto& part : message.parts)
            if (auto* result = part.as<chat::ToolResultPart>()) std::erase_if(result->content, test);
    std::erase_if(request.messages,
                  [&](Message& message) { return std::erase_if(message.parts, test) > 0 && message.parts.empty(); });
}

template <typename Change>
void each_part(Request& request, Change&& change) {
    for (auto& message : request.messages)
        for (auto& part : message.parts) {
            change(part);
            if (auto* result = part.as<chat::ToolResultPart>())
                for (auto& inner : result->content) change(inner);
        }
}

template <typename T>
bool is(const Part& part) {
    return part.as<T>() != nullptr;
}

bool is_image_url(const Part& part) {
    return is<chat::ImagePart>(part) && !part.as<chat::ImagePart>()->media.url.empty();
}
bool is_file_id(const Part& part) {
    const auto* media = chat::media_of(part);
    return media != nullptr && !media->file_id.empty();
}
bool is_document_url(const Part& part) {
    return is<chat::DocumentPart>(part) && !part.as<chat::DocumentPart>()->media.url.empty();
}
bool is_document_text(const Part& part) {
    return is<chat::DocumentPart>(part) && !part.as<chat::DocumentPart>()->text.empty();
}
bool is_document_bytes(const Part& part) {
    return is<chat::DocumentPart>(part) && !part.as<chat::DocumentPart>()->media.data.empty();
}

// ---- pictures of the model itself ----

// Gemini takes its own back with the signature that stood at them, which is the part before, and refuses others of an
// answer ("Image part is missing a thought_signature"). Ollama reads pictures of every turn.
bool may_stand(const std::vector<Part>& parts, std::size_t place, Speaker target) {
    if (!is<chat::ImagePart>(parts[place]) || target == Speaker::ollama) return true;
    if (target != Speaker::gemini || place == 0) return false;
    const auto* thought = parts[place - 1].as<chat::ReasoningPart>();
    return thought != nullptr && thought->text.empty() && !thought->signature.empty();
}

bool has_pictures_of_the_model(const Request& request, Speaker target) {
    return std::ranges::any_of(request.messages, [&](const Message& message) {
        if (message.role != Role::assistant) return false;
        for (std::size_t i = 0; i < message.parts.size(); ++i)
            if (!may_stand(message.parts, i, target)) return true;
        return false;
    });
}

// A user may show pictures to every provider.
void say_pictures_as_user(Request& request, Speaker target) {
    std::vector<Part> shown;
    auto begin = [&shown](std::vector<Part>& parts) {
        parts.insert(parts.begin(), {chat::TextPart{"(The pictures of your answer:)"}, {}});
        parts.insert(parts.begin() + 1, std::move_iterator(shown.begin()), std::move_iterator(shown.end()));
        shown.clear();
    };
    for (auto& message : request.messages) {
        if (message.role == Role::user && !shown.empty()) begin(message.parts);
        if (message.role != Role::assistant) continue;
        std::vector<Part> rest;
        for (std::size_t i = 0; i < message.parts.size(); ++i)
            (may_stand(message.parts, i, target) ? rest : shown).push_back(message.parts[i]);
        if (rest.empty() && !message.parts.empty()) rest.push_back({chat::TextPart{"(a picture)"}, {}});
        message.parts = std::move(rest);
    }
    if (shown.empty()) return;
    request.messages.push_back({Role::user, {}, {}, {}});
    begin(request.messages.back().parts);
}

// ---- parts of the client's own dialect ----

bool is_said_otherwise(const Part& part) {
    const auto* other = part.as<chat::OtherPart>();
    return other != nullptr && other->instead && !other->instead->empty();
}
bool is_idle(const Part& part) {
    const auto* other = part.as<chat::OtherPart>();
    return other != nullptr && other->instead && other->instead->empty();
}
bool is_unsayable(const Part& part) {
    const auto* other = part.as<chat::OtherPart>();
    return other != nullptr && !other->instead;
}

void say_otherwise(std::vector<Part>& parts) {
    std::vector<Part> said;
    for (auto& part : parts) {
        if (auto* result = part.as<chat::ToolResultPart>()) say_otherwise(result->content);
        if (!is_said_otherwise(part)) {
            said.push_back(std::move(part));
            continue;
        }
        auto instead = std::move(*part.as<chat::OtherPart>()->instead);
        std::ranges::move(instead, std::back_inserter(said));
    }
    parts = std::move(said);
}

std::optional<Named> first_unsayable(const Request& request) {
    std::optional<Named> named;
    any_part(request, [&](const Part& part) {
        if (!is_unsayable(part)) return false;
        const auto& other = *part.as<chat::OtherPart>();
        named = Named{"\"" + printable(other.type, 60) + "\"", other.place.empty() ? "messages" : other.place};
        return true;
    });
    return named;
}

// ---- tools ----

bool is_hosted(const chat::Tool& tool) {
    return tool.kind == chat::Tool::Kind::hosted;
}

bool is_web_search(const chat::Tool& tool) {
    return is_hosted(tool) && tool.service == chat::Tool::Service::web_search;
}

// Gemini takes no search beside functions.
bool searches_beside_functions(const Request& request) {
    return std::ranges::any_of(request.tools, is_web_search) && !std::ranges::all_of(request.tools, is_hosted);
}

bool can_say(const Request& request, const chat::Tool& tool, Speaker target) {
    if (!is_web_search(tool) || (target == Speaker::gemini && searches_beside_functions(request))) return false;
    return web_search_for(tool, target).has_value();
}

// The tool_choice wants a tool that the target does not have.
bool forces_hosted(const Request& request, Speaker target) {
    using Choice = chat::ToolChoice::Kind;
    const auto& choice = request.tool_choice;
    if (own(request, target) || (choice.kind != Choice::named && choice.kind != Choice::required)) return false;
    auto lacking = [&](const chat::Tool& tool) { return is_hosted(tool) && !can_say(request, tool, target); };
    if (choice.kind == Choice::required) return !request.tools.empty() && std::ranges::all_of(request.tools, lacking);
    const auto tool = std::ranges::find(request.tools, choice.name, &chat::Tool::name);
    if (tool == request.tools.end() || !is_hosted(*tool)) return false;
    return lacking(*tool) || target == Speaker::gemini;  // which offers a search, and cannot be told to use it
}

bool has_allowed_tools(const Request& request, Speaker target) {
    return !own(request, target) && !request.tool_choice.allowed.empty();
}

void send_allowed_tools(Request& request, Speaker) {
    const auto choice = std::exchange(request.tool_choice, {});
    std::erase_if(request.tools, [&](const chat::Tool& tool) {
        return !is_hosted(tool) && std::ranges::find(choice.allowed, tool.name) == choice.allowed.end();
    });
    request.tool_choice.kind = choice.must_call ? chat::ToolChoice::Kind::required : chat::ToolChoice::Kind::automatic;
}

constexpr std::string_view kCustomSchema =
    R"({"type":"object","properties":{"input":{"type":"string","description":"The whole text of the input"}},"required":["input"],"additionalProperties":false})";

bool has_custom(const Request& request, Speaker) {
    return std::ranges::any_of(request.tools, [](const auto& t) { return t.kind == chat::Tool::Kind::custom; }) ||
           any_part(request, [](const Part& part) {
               return (is<chat::ToolCallPart>(part) && part.as<chat::ToolCallPart>()->custom) ||
                      (is<chat::ToolResultPart>(part) && part.as<chat::ToolResultPart>()->custom);
           });
}

void custom_to_function(Request& request, Speaker) {
    for (auto& tool : request.tools) {
        if (tool.kind != chat::Tool::Kind::custom) continue;
        tool.kind = chat::Tool::Kind::function;
        // A grammar for the text cannot be enforced here, but the model can read it.
        json::Document format;
        if (tool.parameters.given() && format.parse(tool.parameters.json)) {
            const auto grammar = format.root()["definition"];
            const auto nested = format.root()["grammar"]["definition"];
            const auto text = grammar.string().value_or(nested.text());
            if (!text.empty())
                tool.description += fmt::format("\n\nThe text of `input` follows this grammar:\n{}", text);
        }
        tool.parameters.json = kCustomSchema;
    }
    each_part(request, [](Part& part) {
        if (auto* call = part.as<chat::ToolCallPart>(); call != nullptr && call->custom) {
            json::Writer out;
            out.begin_object().member("input", call->arguments).end_object();
            call->arguments = out.take();
            call->custom = false;
        }
        if (auto* result = part.as<chat::ToolResultPart>()) result->custom = false;
    });
}

// ---- thinking ----

std::string effort_of(std::int64_t budget) {
    constexpr std::int64_t kLow = 4096, kMedium = 16384;
    return budget < kLow ? "low" : budget < kMedium ? "medium" : "high";
}

void think_by_effort(Request& request, Speaker target) {
    auto& thinking = request.thinking;
    if (thinking.effort.empty() && thinking.budget_tokens) thinking.effort = effort_of(*thinking.budget_tokens);
    if (thinking.on == false && target != Speaker::ollama) thinking.effort = "none";
    thinking.budget_tokens.reset();
    if (target != Speaker::ollama) thinking.on.reset();
}

void effort_in_words_of(chat::Thinking& thinking, Speaker target) {
    auto& effort = thinking.effort;
    const bool most = effort == "xhigh" || effort == "max";
    switch (target) {
        case Speaker::openai_chat:
        case Speaker::llama_server:
        case Speaker::openai_responses:
            if (effort == "max") effort = "xhigh";
            break;
        case Speaker::anthropic:
            if (effort == "minimal") effort = "low";
            if (effort == "none")
                thinking.on = false;
            else
                thinking.on = true;
            if (effort == "none") effort.clear();
            break;
        case Speaker::gemini:
        case Speaker::ollama:
            if (effort == "none") {
                effort.clear();
                thinking.on = false;
            }
            if (most) effort = "high";
            if (target == Speaker::ollama && effort == "minimal") effort = "low";
            if (target == Speaker::ollama && !effort.empty()) thinking.on.reset();
            if (target == Speaker::gemini && !effort.empty()) thinking.on.reset();
            break;
    }
    // One word is enough.
    if (target == Speaker::gemini && thinking.budget_tokens) effort.clear();
    if (target == Speaker::gemini && thinking.budget_tokens) thinking.on.reset();
}

bool needs_other_effort(const Request& request, Speaker target) {
    auto thinking = request.thinking;
    effort_in_words_of(thinking, target);
    const bool empty = request.thinking.effort.empty() && target != Speaker::gemini;
    return !empty && !(thinking == request.thinking);
}

void say_thinking_once(chat::Thinking& thinking, Speaker target) {
    if (thinking.on == false || thinking.effort == "none") {
        thinking.budget_tokens.reset();
        if (target == Speaker::anthropic) thinking.shown.reset();
    }
    if (target == Speaker::anthropic && thinking.budget_tokens) thinking.on = true;
}

// Anthropic wants the thought of a turn back when its calls are answered; without it, it must not think.
bool thinks_without_thought(const Request& request, Speaker) {
    const auto& thinking = request.thinking;
    if (thinking.on == false || (thinking.on != true && !thinking.budget_tokens && thinking.effort.empty()))
        return false;
    for (auto message = request.messages.rbegin(); message != request.messages.rend(); ++message) {
        if (message->role == Role::tool) continue;
        if (message->role != Role::assistant) return false;
        const bool calls = std::ranges::any_of(message->parts, is<chat::ToolCallPart>);
        const bool thought = std::ranges::any_of(message->parts, is<chat::ReasoningPart>);
        if (calls && !thought) return true;
    }
    return false;
}

bool thinks(const Request& request) {
    const auto& thinking = request.thinking;
    if (thinking.on == false || thinking.effort == "none") return false;
    return thinking.on == true || thinking.budget_tokens || !thinking.effort.empty();
}

bool must_call(const Request& request) {
    using Choice = chat::ToolChoice::Kind;
    return request.tool_choice.kind == Choice::required || request.tool_choice.kind == Choice::named;
}

double number(const chat::Raw& raw) {
    return raw.given() ? std::strtod(raw.json.c_str(), nullptr) : 0;
}

// Anthropic takes no other temperature than 1 beside thoughts, and a top_p of 0.95 at least.
bool samples_beside_thoughts(const Request& request, Speaker) {
    constexpr double kLeastTopP = 0.95;
    const auto& s = request.sampling;
    return thinks(request) && ((s.temperature.given() && number(s.temperature) != 1) || s.top_k.given() ||
                               (s.top_p.given() && number(s.top_p) < kLeastTopP));
}

// ---- history ----

bool is_foreign_reasoning(const Part& part, Speaker target) {
    const auto* reasoning = part.as<chat::ReasoningPart>();
    if (reasoning == nullptr) return false;
    if (reasoning->dialect != name_of(kind_of(target))) return true;
    const bool needs_proof = target == Speaker::anthropic || target == Speaker::openai_responses;
    return needs_proof && reasoning->signature.empty();
}

void leave_out_reasoning(Request& request, Speaker target) {
    std::erase_if(request.messages, [&](Message& message) {
        return std::erase_if(message.parts, [&](const Part& p) { return is_foreign_reasoning(p, target); }) > 0 &&
               message.parts.empty();
    });
}

bool system_is_late(const Request& request, Speaker) {
    bool begun = false;
    for (const auto& message : request.messages) {
        const bool system = message.role == Role::system || message.role == Role::developer;
        if (begun && system) return true;
        begun = begun || !system;
    }
    return false;
}

void late_system_to_user(Request& request, Speaker) {
    bool begun = false;
    for (auto& message : request.messages) {
        const bool system = message.role == Role::system || message.role == Role::developer;
        begun = begun || !system;
        if (!begun || !system) continue;
        message.role = Role::user;
        for (auto& part : message.parts)
            if (auto* text = part.as<chat::TextPart>()) text->text = fmt::format("<system>\n{}\n</system>", text->text);
    }
}

bool begins_with_answer(const Request& request, Speaker) {
    for (const auto& message : request.messages)
        if (message.role != Role::system && message.role != Role::developer) return message.role == Role::assistant;
    return false;
}

// Where nobody has spoken, two APIs have nothing to answer.
bool has_no_turn(const Request& request, Speaker) {
    return std::ranges::all_of(request.messages,
                               [](const Message& m) { return m.role == Role::system || m.role == Role::developer; });
}

void give_the_last_word_to_the_user(Request& request, Speaker) {
    if (request.messages.empty()) {
        request.messages.push_back({Role::user, {{chat::TextPart{"(The message is empty.)"}, {}}}, {}, {}});
        return;
    }
    request.messages.back().role = Role::user;
}

// Files that are text, though they come as bytes.
bool is_text_in_bytes(const Part& part) {
    const auto* document = part.as<chat::DocumentPart>();
    if (document == nullptr || document->media.data.empty()) return false;
    const auto type = lower(document->media.media_type);
    static constexpr std::array kText = std::to_array<std::string_view>(
        {"application/json", "application/xml", "application/yaml", "application/x-yaml", "application/javascript",
         "application/x-javascript", "application/toml"});
    return type.starts_with("text/") ||
           std::ranges::find(kText, std::string_view(type).substr(0, type.find(';'))) != kText.end();
}

bool is_utf8(const std::string& text) {
    // What is none of it becomes U+FFFD.
    json::Document read;
    return read.parse("[" + json::quoted(text) + "]") && (*begin(read.root().children())).string() == text;
}

void read_text_in_bytes(Part& part) {
    if (!is_text_in_bytes(part)) return;
    auto& document = *part.as<chat::DocumentPart>();
    auto text = from_base64(document.media.data);
    if (!text || text->empty() || !is_utf8(*text)) return;
    document.text = std::move(*text);
    document.media = {{}, "text/plain", {}, {}};
}

// OpenAI keeps to a schema strictly only where every object says all of its members, and no other may be there.
bool is_closed(const json::Value& schema) {
    for (const json::Value member : schema.children())
        if (!is_closed(member)) return false;
    const json::Value properties = schema["properties"];
    if (!properties.is(json::Kind::object))
        return schema["type"].text() != "object" || schema["additionalProperties"].boolean() == false;
    if (schema["additionalProperties"].boolean() != false) return false;
    std::set<std::string_view> required;
    for (const json::Value name : schema["required"].children()) required.insert(name.text());
    for (const json::Value property : properties.children())
        if (!required.contains(property.key())) return false;
    return true;
}

bool is_strict_and_open(const chat::Tool& tool) {
    json::Document schema;
    return tool.kind == chat::Tool::Kind::function && tool.strict == true &&
           (!tool.parameters.given() || !schema.parse(tool.parameters.json) || !is_closed(schema.root()));
}

void begin_with_user(Request& request, Speaker) {
    const auto place = std::ranges::find(request.messages, Role::assistant, &Message::role);
    Message user;
    user.parts.push_back({chat::TextPart{"(The conversation begins with the assistant.)"}, {}});
    request.messages.insert(place, std::move(user));
}

// Anthropic takes no text of white space alone either.
bool is_empty(const Part& part, Speaker target) {
    const auto* text = part.as<chat::TextPart>();
    return text != nullptr && (target == Speaker::anthropic ? trim(text->text) : text->text).empty();
}

bool has_empty(const Request& request, Speaker target) {
    return std::ranges::any_of(request.messages, [&](const Message& message) {
        return std::ranges::any_of(message.parts, [&](const Part& part) { return is_empty(part, target); });
    });
}

void leave_out_empty(Request& request, Speaker target) {
    for (auto& message : request.messages)
        std::erase_if(message.parts, [&](const Part& part) { return is_empty(part, target); });
}

// The text of a turn of the assistant's at the end, which is to be gone on with.
template <typename AnyRequest>
auto begun_answer(AnyRequest& request) -> decltype(request.messages.back().parts.back().template as<chat::TextPart>()) {
    if (request.messages.empty() || request.messages.back().role != Role::assistant) return nullptr;
    auto& parts = request.messages.back().parts;
    return parts.empty() ? nullptr : parts.back().template as<chat::TextPart>();
}

bool is_blank_end(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_no_text(const Part& part) {
    return !is<chat::TextPart>(part);
}

bool has_media_in_results(const Request& request, Speaker) {
    for (const auto& message : request.messages)
        for (const auto& part : message.parts)
            if (const auto* result = part.as<chat::ToolResultPart>())
                if (std::ranges::any_of(result->content, is_no_text)) return true;
    return false;
}

// What is no text moves into a user's message behind the results of its turn.
void media_behind_results(Request& request, Speaker) {
    std::vector<Message> messages;
    Message moved;
    auto flush = [&] {
        if (!moved.parts.empty()) messages.push_back(std::exchange(moved, {}));
    };
    for (auto& message : request.messages) {
        if (message.role != Role::tool) flush();
        for (auto& part : message.parts) {
            auto* result = part.as<chat::ToolResultPart>();
            if (result == nullptr) continue;
            std::vector<Part> text;
            for (auto& inner : result->content) {
                if (is<chat::TextPart>(inner)) {
                    text.push_back(std::move(inner));
                    continue;
                }
                moved.parts.push_back({chat::TextPart{fmt::format("From the result of {}:",
                                                                  result->name.empty() ? "the tool" : result->name)},
                                       {}});
                moved.parts.push_back(std::move(inner));
            }
            if (text.empty()) text.push_back({chat::TextPart{"(see the next message)"}, {}});
            result->content = std::move(text);
        }
        messages.push_back(std::move(message));
    }
    flush();
    request.messages = std::move(messages);
}

bool has_several_texts_in_results(const Request& request, Speaker) {
    for (const auto& message : request.messages)
        for (const auto& part : message.parts)
            if (const auto* result = part.as<chat::ToolResultPart>())
                if (result->content.size() != 1) return true;
    return false;
}

void one_text_in_results(Request& request, Speaker) {
    for (auto& message : request.messages)
        for (auto& part : message.parts)
            if (auto* result = part.as<chat::ToolResultPart>(); result != nullptr && result->content.size() != 1) {
                std::string text;
                for (const auto& inner : result->content) {
                    if (!text.empty()) text += "\n";
                    if (const auto* piece = inner.as<chat::TextPart>()) text += piece->text;
                }
                result->content.clear();
                result->content.push_back({chat::TextPart{std::move(text)}, {}});
            }
}

bool is_error_result(const Part& part) {
    return is<chat::ToolResultPart>(part) && part.as<chat::ToolResultPart>()->is_error;
}

void say_error(Request& request, Speaker) {
    each_part(request, [](Part& part) {
        auto* result = part.as<chat::ToolResultPart>();
        if (result == nullptr || !result->is_error) return;
        result->is_error = false;
        const auto text = lower(chat::text_of(result->content).substr(0, 20));
        if (text.find("error") == std::string::npos)
            result->content.insert(result->content.begin(), {chat::TextPart{"Error:"}, {}});
    });
}

// A turn with its text and reasoning before its calls: those dialects keep them apart.
bool has_text_behind_calls(const Request& request, Speaker) {
    for (const auto& message : request.messages)
        if (!std::ranges::is_partitioned(message.parts, [](const Part& p) { return !is<chat::ToolCallPart>(p); }))
            return true;
    return false;
}

void calls_behind_text(Request& request, Speaker) {
    for (auto& message : request.messages) {
        std::vector<Part> parts, calls;
        for (auto& part : message.parts) (is<chat::ToolCallPart>(part) ? calls : parts).push_back(std::move(part));
        std::ranges::move(calls, std::back_inserter(parts));
        message.parts = std::move(parts);
    }
}

bool has_split_text(const Request& request, Speaker) {
    return std::ranges::any_of(request.messages, [](const Message& m) {
        return m.role != Role::tool && std::ranges::count_if(m.parts, is<chat::TextPart>) > 1;
    });
}

// Texts of one message become one, images stay behind it.
void join_text(Request& request, Speaker) {
    for (auto& message : request.messages) {
        if (message.role == Role::tool) continue;
        const auto first = std::ranges::find_if(message.parts, is<chat::TextPart>);
        if (first == message.parts.end()) continue;
        std::string text;
        for (const auto& part : message.parts)
            if (const auto* piece = part.as<chat::TextPart>()) {
                if (!text.empty()) text += "\n";
                text += piece->text;
            }
        first->as<chat::TextPart>()->text = std::move(text);
        const auto place = first - message.parts.begin();
        for (auto i = static_cast<std::ptrdiff_t>(message.parts.size()) - 1; i > place; --i)
            if (is<chat::TextPart>(message.parts[static_cast<std::size_t>(i)]))
                message.parts.erase(message.parts.begin() + i);
    }
}

bool is_empty_object(const chat::Raw& raw) {
    return raw.given() && raw.json.find_first_not_of("{} \t\r\n") == std::string::npos;
}

// Absent, or the value that changes nothing.
bool is_default(const chat::Raw& raw, double neutral) {
    return !raw.given() || number(raw) == neutral;
}

// Numbers with which a client asks for what is done anyway: they are not said, and nobody needs a word for them.
bool has_neutral(const Request& request, Speaker target) {
    // Responses say penalties that they do not take, in their own words too.
    if (own(request, target) && target != Speaker::openai_responses) return false;
    const auto& s = request.sampling;
    const auto neutral = [](const chat::Raw& raw, double value) { return raw.given() && is_default(raw, value); };
    return neutral(s.presence_penalty, 0) || neutral(s.frequency_penalty, 0) || neutral(s.repeat_penalty, 1) ||
           neutral(s.min_p, 0) || neutral(s.top_k, 0) || neutral(s.top_k, -1) || is_empty_object(s.logit_bias);
}

void leave_out_neutral(Request& request, Speaker) {
    auto& s = request.sampling;
    const auto clear = [](chat::Raw& raw, double value) {
        if (is_default(raw, value)) raw = {};
    };
    clear(s.presence_penalty, 0);
    clear(s.frequency_penalty, 0);
    clear(s.repeat_penalty, 1);
    clear(s.min_p, 0);
    clear(s.top_k, 0);
    clear(s.top_k, -1);
    if (is_empty_object(s.logit_bias)) s.logit_bias = {};
}

// Anthropic has a word for schemas alone.
void ask_for_json_in_words(Request& request, Speaker) {
    request.response_format = {};
    Part wanted{chat::TextPart{"Answer with one JSON object and nothing else: no words and no Markdown around it."},
                {}};
    auto place = std::ranges::find_if(request.messages, [](const Message& message) {
        return message.role != Role::system && message.role != Role::developer;
    });
    if (place == request.messages.begin())
        request.messages.insert(place, {Role::system, {std::move(wanted)}, {}, {}});
    else
        std::prev(place)->parts.push_back(std::move(wanted));
}

bool any_extra_in_messages(const Request& request, Speaker target) {
    if (own(request, target)) return false;
    return std::ranges::any_of(request.messages, [](const Message& m) { return !m.extra.empty(); }) ||
           any_part(
               request,
               [](const Part& p) { return is<chat::ToolCallPart>(p) && !p.as<chat::ToolCallPart>()->extra.empty(); }) ||
           std::ranges::any_of(request.tools, [](const auto& t) { return !t.extra.empty(); });
}

// Members that say what the answer is to be, or hold a part of the prompt. What a client sends beside them is a wish or
// a hint: who asks, what to cache, how to sample.
bool is_demand(const std::string& name, const chat::Raw& value) {
    static constexpr std::array kDemands = std::to_array<std::string_view>({"audio",
                                                                            "prompt",
                                                                            "cachedContent",
                                                                            "cached_content",
                                                                            "mcp_servers",
                                                                            "container",
                                                                            "grammar",
                                                                            "json_schema",
                                                                            "guided_json",
                                                                            "guided_regex",
                                                                            "guided_choice",
                                                                            "guided_grammar",
                                                                            "structured_outputs",
                                                                            "best_of",
                                                                            "suffix",
                                                                            "echo",
                                                                            "speechConfig",
                                                                            "speech_config",
                                                                            "imageConfig",
                                                                            "image_config",
                                                                            "responseLogprobs",
                                                                            "response_logprobs"});
    if (name == "modalities" || name == "responseModalities" || name == "response_modalities")
        return lower(value.json).find("audio") != std::string::npos ||
               lower(value.json).find("image") != std::string::npos;
    if (name == "best_of") return value.json != "1";
    return std::ranges::find(kDemands, name) != kDemands.end();
}

// Nothing is asked for: empty, off, or none of it.
bool asks_for_nothing(const chat::Raw& value) {
    const auto text = trim(value.json);
    static constexpr std::array kNothing = std::to_array<std::string_view>({"", "null", "false", "\"\"", "0"});
    if (std::ranges::find(kNothing, text) != kNothing.end()) return true;
    if (text.find_first_not_of("-+0.eE") == std::string_view::npos) return text.find('0') != std::string_view::npos;
    json::Document document;
    if (!text.starts_with('[') && !text.starts_with('{')) return false;
    return document.parse(text) && document.root().size() == 0;
}

// Ollama's options that llama.cpp's server takes by the same names.
bool is_llama_option(const std::string& name) {
    static constexpr std::array kOptions =
        std::to_array<std::string_view>({"options.mirostat", "options.mirostat_tau", "options.mirostat_eta",
                                         "options.repeat_last_n", "options.typical_p"});
    return std::ranges::find(kOptions, name) != kOptions.end();
}

// What asks for pictures in the answer, and for their form, as the target says it: Gemini (ai.google.dev/api/
// generate-content, responseModalities and imageConfig) and OpenRouter's Chat Completions (openrouter.ai/docs, "Image
// Generation"). Nothing where `name` is no such thing, asks for sound too, or the target has no word for it.
std::optional<std::pair<std::string, chat::Raw>> picture_wish(std::string_view name, const chat::Raw& value,
                                                              Speaker target) {
    const bool gemini = target == Speaker::gemini;
    if (!gemini && target != Speaker::openai_chat) return std::nullopt;
    if (name == "modalities" || name == "responseModalities" || name == "response_modalities") {
        const auto wanted = lower(value.json);
        if (wanted.find("image") == std::string::npos || wanted.find("audio") != std::string::npos) return std::nullopt;
        const bool words = wanted.find("text") != std::string::npos;
        if (gemini) return {{"responseModalities", {words ? R"(["TEXT","IMAGE"])" : R"(["IMAGE"])"}}};
        return {{"modalities", {words ? R"(["image","text"])" : R"(["image"])"}}};
    }
    if (name != "imageConfig" && name != "image_config") return std::nullopt;
    json::Document document;
    if (!document.parse(value.json) || !document.root().is(json::Kind::object)) return std::nullopt;
    static constexpr std::array<std::array<std::string_view, 2>, 2> kNames = {
        {{"aspectRatio", "aspect_ratio"}, {"imageSize", "image_size"}}};
    json::Writer out;
    out.begin_object();
    for (const json::Value member : document.root().children()) {
        const auto* const known =
            std::ranges::find_if(kNames, [&](const auto& n) { return n[0] == member.key() || n[1] == member.key(); });
        if (known == kNames.end()) return std::nullopt;
        out.raw_member((*known)[gemini ? 0 : 1], member.raw());
    }
    out.end_object();
    return {{gemini ? "imageConfig" : "image_config", {out.take()}}};
}

std::vector<Feature> make_features() {
    std::vector<Feature> list;
    auto add = [&](std::string_view name, std::string_view field, std::string_view advice,
                   std::array<Verdict, 6> verdicts, bool (*present)(const Request&, Speaker),
                   void (*apply)(Request&, Speaker)) {
        list.push_back({name, field, advice, verdicts, present, apply, nullptr});
    };
    // ---- the history; each row sees what those before it have made ----
    //                                     openai llama responses anthropic gemini ollama
    add("empty texts", "messages", "they are left out; there is nothing in them", {K, K, K, C, C, K}, has_empty,
        leave_out_empty);
    add(
        "messages without any part", "messages", "they are left out; there is nothing in them", {C, C, C, C, C, C},
        [](const Request& r, Speaker) {
            return std::ranges::any_of(r.messages, [](const Message& m) { return m.parts.empty(); });
        },
        [](Request& r, Speaker) { std::erase_if(r.messages, [](const Message& m) { return m.parts.empty(); }); });
    add(
        "neighbouring turns of the assistant", "messages", "they become one turn", {C, C, C, C, C, C},
        [](const Request& r, Speaker) { return chat::has_neighbours(r.messages, Role::assistant); },
        [](Request& r, Speaker) { chat::merge_neighbours(r.messages, Role::assistant); });
    add(
        "items of the client's dialect that can be told in words", "messages", "they become text", {C, C, C, C, C, C},
        [](const Request& r, Speaker s) { return !own(r, s) && any_part(r, is_said_otherwise); },
        [](Request& r, Speaker) {
            for (auto& m : r.messages) say_otherwise(m.parts);
        });
    add(
        "records of a provider's own tools", "messages", "the answer that was made of them stands beside them",
        {H, H, H, H, H, H}, [](const Request& r, Speaker s) { return !own(r, s) && any_part(r, is_idle); },
        [](Request& r, Speaker) { remove_parts(r, is_idle); });
    add(
        "parts that only the client's dialect has", "messages",
        "send it to a provider of the same dialect, or leave it out", {R, R, R, R, R, R},
        [](const Request& r, Speaker s) { return !own(r, s) && any_part(r, is_unsayable); },
        [](Request& r, Speaker) { remove_parts(r, is_unsayable); });
    list.back().first = first_unsayable;
    add(
        "reasoning of another provider, or without its signature", "messages",
        "only the provider that wrote it takes it back", {H, H, H, H, H, H},
        [](const Request& r, Speaker s) {
            return any_part(r, [s](const Part& p) { return is_foreign_reasoning(p, s); });
        },
        leave_out_reasoning);
    add("custom tools (free text instead of arguments)", "tools", "they become functions with one text, and back",
        {C, C, K, C, C, C}, has_custom, custom_to_function);
    add(
        "files by id", "messages", "an upload belongs to one provider; send the bytes instead", {R, R, R, R, R, R},
        [](const Request& r, Speaker s) { return !own(r, s) && any_part(r, is_file_id); },
        [](Request& r, Speaker) { remove_parts(r, is_file_id); });
    add("pictures that the model made", "messages", "they stand in the user's next turn", {C, C, C, C, C, K},
        has_pictures_of_the_model, say_pictures_as_user);
    add(
        "images by URL", "messages", "send the image as data", {K, K, K, K, R, R},
        [](const Request& r, Speaker) { return any_part(r, is_image_url); },
        [](Request& r, Speaker) { remove_parts(r, is_image_url); });
    add(
        "an image's detail", "messages", "the provider decides", {K, K, K, H, H, H},
        [](const Request& r, Speaker) {
            return any_part(r, [](const Part& p) {
                const auto* image = p.as<chat::ImagePart>();
                return image != nullptr && !image->detail.empty() && image->detail != "auto";
            });
        },
        [](Request& r, Speaker) {
            each_part(r, [](Part& p) {
                if (auto* image = p.as<chat::ImagePart>()) image->detail.clear();
            });
        });
    add(
        "text files as data", "messages", "their text is read", {C, C, K, C, K, C},
        [](const Request& r, Speaker) { return any_part(r, is_text_in_bytes); },
        [](Request& r, Speaker) { each_part(r, read_text_in_bytes); });
    add(
        "plain text files", "messages", "they become text with their name", {C, C, C, K, C, C},
        [](const Request& r, Speaker) { return any_part(r, is_document_text); },
        [](Request& r, Speaker) {
            each_part(r, [](Part& p) {
                if (!is_document_text(p)) return;
                const auto document = *p.as<chat::DocumentPart>();
                p.body = chat::TextPart{document.name.empty() ? document.text
                                                              : fmt::format("{}:\n{}", document.name, document.text)};
            });
        });
    add(
        "files by URL", "messages", "send the file as data", {R, R, K, K, R, R},
        [](const Request& r, Speaker) { return any_part(r, is_document_url); },
        [](Request& r, Speaker) { remove_parts(r, is_document_url); });
    add(
        "files as data (PDF)", "messages", "send the text of the file", {K, R, K, K, K, R},
        [](const Request& r, Speaker) { return any_part(r, is_document_bytes); },
        [](Request& r, Speaker) { remove_parts(r, is_document_bytes); });
    add(
        "a file's name", "messages", "the provider has no place for it", {K, H, K, K, H, H},
        [](const Request& r, Speaker) {
            return any_part(r, [](const Part& p) {
                return is<chat::DocumentPart>(p) && !p.as<chat::DocumentPart>()->name.empty();
            });
        },
        [](Request& r, Speaker) {
            each_part(r, [](Part& p) {
                if (auto* document = p.as<chat::DocumentPart>()) document->name.clear();
            });
        });
    add(
        "audio", "messages", "send a transcript", {K, K, R, R, K, R},
        [](const Request& r, Speaker) { return any_part(r, is<chat::AudioPart>); },
        [](Request& r, Speaker) { remove_parts(r, is<chat::AudioPart>); });
    add(
        "refusals in the history", "messages", "they become text", {K, C, K, C, C, C},
        [](const Request& r, Speaker) { return any_part(r, is<chat::RefusalPart>); },
        [](Request& r, Speaker) {
            each_part(r, [](Part& p) {
                if (is<chat::RefusalPart>(p)) p.body = chat::TextPart{p.as<chat::RefusalPart>()->text};
            });
        });
    add(
        "a tool's error flag", "messages", "the result begins with \"Error:\"", {C, C, C, K, K, C},
        [](const Request& r, Speaker) { return any_part(r, is_error_result); }, say_error);
    add("images and files in tool results", "messages", "they follow in a user's message", {C, C, K, K, C, C},
        has_media_in_results, media_behind_results);
    add("several texts in a tool result", "messages", "they become one text", {K, C, K, K, C, C},
        has_several_texts_in_results, one_text_in_results);
    add("text behind the calls of a turn", "messages", "it stands before them", {C, C, K, K, K, C},
        has_text_behind_calls, calls_behind_text);
    add("several texts in a message", "messages", "they become one text", {K, K, K, K, K, C}, has_split_text,
        join_text);
    add(
        "role developer", "messages", "it becomes system", {K, C, K, C, C, C},
        [](const Request& r, Speaker) {
            return std::ranges::find(r.messages, Role::developer, &Message::role) != r.messages.end();
        },
        [](Request& r, Speaker) {
            for (auto& m : r.messages)
                if (m.role == Role::developer) m.role = Role::system;
        });
    add("system messages behind the beginning", "messages", "they become a user's text in <system> marks",
        {K, K, K, C, C, K}, system_is_late, late_system_to_user);
    add("a conversation in which nobody has spoken", "messages", "the last system message is said by the user",
        {K, K, K, C, C, K}, has_no_turn, give_the_last_word_to_the_user);
    add("a conversation that begins with the assistant", "messages", "a word of the user's stands before it",
        {K, K, K, C, C, K}, begins_with_answer, begin_with_user);
    add(
        "white space at the end of an answer that is to be gone on with", "messages",
        "it is left out; Anthropic takes none", {K, K, K, C, K, K},
        [](const Request& r, Speaker) {
            const auto* text = begun_answer(r);
            return text != nullptr && !text->text.empty() && is_blank_end(text->text.back());
        },
        [](Request& r, Speaker) {
            auto* text = begun_answer(r);
            while (!text->text.empty() && is_blank_end(text->text.back())) text->text.pop_back();
        });
    add(
        "names of speakers", "messages", "put the name into the text", {K, H, H, H, H, H},
        [](const Request& r, Speaker) {
            return std::ranges::any_of(r.messages, [](const Message& m) { return !m.name.empty(); });
        },
        [](Request& r, Speaker) {
            for (auto& m : r.messages) m.name.clear();
        });
    add(
        "neighbouring messages of the user, or of the system", "messages", "they become one message of several parts",
        {K, K, K, C, C, K},
        [](const Request& r, Speaker) {
            return chat::has_neighbours(r.messages, Role::user) || chat::has_neighbours(r.messages, Role::system);
        },
        [](Request& r, Speaker) {
            chat::merge_neighbours(r.messages, Role::user);
            chat::merge_neighbours(r.messages, Role::system);
        });
    add("unknown fields of messages, calls and tools", "messages", "they are the client dialect's own",
        {H, H, H, H, H, H}, any_extra_in_messages, [](Request& r, Speaker) {
            for (auto& m : r.messages) m.extra.clear();
            for (auto& t : r.tools) t.extra.clear();
            each_part(r, [](Part& p) {
                if (auto* call = p.as<chat::ToolCallPart>()) call->extra.clear();
            });
        });
    add(
        "cache marks", "cache_control", "the provider caches by itself", {C, C, C, K, C, C},
        [](const Request& r, Speaker s) {
            return !own_chat(r, s) && (any_part(r, [](const Part& p) { return p.cache.given(); }) ||
                                       std::ranges::any_of(r.tools, [](const auto& t) { return t.cache.given(); }));
        },
        [](Request& r, Speaker) {
            each_part(r, [](Part& p) { p.cache = {}; });
            for (auto& t : r.tools) t.cache = {};
        });
    // ---- tools ----
    add("tool_choice: a tool that the provider runs", "tool_choice", "use a provider that has it, or auto",
        {R, R, R, R, R, R}, forces_hosted, [](Request& r, Speaker) { r.tool_choice = {}; });
    add(
        "tools that the provider runs", "tools", "they are an offer, and it has none", {H, H, H, H, H, H},
        [](const Request& r, Speaker s) {
            return !own(r, s) &&
                   std::ranges::any_of(r.tools, [&](const auto& t) { return is_hosted(t) && !can_say(r, t, s); });
        },
        [](Request& r, Speaker s) {
            const Request asked = r;
            std::erase_if(r.tools, [&](const auto& t) { return is_hosted(t) && !can_say(asked, t, s); });
        });
    add(
        "web search by the provider", "tools", "it is asked for in the provider's words", {K, K, C, C, C, K},
        [](const Request& r, Speaker s) { return !own(r, s) && std::ranges::any_of(r.tools, is_web_search); },
        [](Request& r, Speaker s) {
            for (auto& tool : r.tools) {
                if (!is_web_search(tool)) continue;
                tool.hosted.json = web_search_for(tool, s).value_or(tool.hosted.json);
                if (r.tool_choice.name == tool.name) r.tool_choice.name = "web_search";
                tool.name = "web_search";
            }
        });
    add("tool_choice: a set of allowed tools", "tool_choice", "only those are sent", {C, C, C, C, C, C},
        has_allowed_tools, send_allowed_tools);
    add(
        "tool_choice of another kind", "tool_choice", "use auto, required, none or the name of a tool",
        {R, R, R, R, R, R},
        [](const Request& r, Speaker s) { return !own(r, s) && r.tool_choice.kind == chat::ToolChoice::Kind::other; },
        [](Request& r, Speaker) { r.tool_choice = {}; });
    add(
        "tool_choice: required or named", "tool_choice", "use auto", {K, K, K, K, K, R},
        [](const Request& r, Speaker) {
            return r.tool_choice.kind == chat::ToolChoice::Kind::required ||
                   r.tool_choice.kind == chat::ToolChoice::Kind::named;
        },
        [](Request& r, Speaker) { r.tool_choice = {}; });
    add(
        "tool_choice: auto or none", "tool_choice", "auto is what it does anyway; for none the tools are left out",
        {K, K, K, K, K, C},
        [](const Request& r, Speaker) { return r.tool_choice.kind != chat::ToolChoice::Kind::unset; },
        [](Request& r, Speaker) {
            if (r.tool_choice.kind == chat::ToolChoice::Kind::none) r.tools.clear();
            r.tool_choice = {};
        });
    add(
        "tool_choice without tools", "tool_choice", "there is nothing to choose", {C, C, C, C, C, C},
        [](const Request& r, Speaker) {
            return r.tools.empty() && (r.tool_choice.kind != chat::ToolChoice::Kind::unset || r.parallel_tool_calls);
        },
        [](Request& r, Speaker) {
            r.tool_choice = {};
            r.parallel_tool_calls.reset();
        });
    add(
        "parallel_tool_calls where no tool may be called", "parallel_tool_calls", "there is nothing to call",
        {C, C, C, C, C, C},
        [](const Request& r, Speaker) {
            return r.tool_choice.kind == chat::ToolChoice::Kind::none && r.parallel_tool_calls;
        },
        [](Request& r, Speaker) { r.parallel_tool_calls.reset(); });
    add(
        "parallel_tool_calls: false", "parallel_tool_calls", "the model may call several at once", {K, K, K, K, H, H},
        [](const Request& r, Speaker) { return r.parallel_tool_calls == false; },
        [](Request& r, Speaker) { r.parallel_tool_calls.reset(); });
    add(
        "parallel_tool_calls: true", "parallel_tool_calls", "it is what the provider does anyway", {K, K, K, C, C, C},
        [](const Request& r, Speaker) { return r.parallel_tool_calls == true; },
        [](Request& r, Speaker) { r.parallel_tool_calls.reset(); });
    add(
        "strict tools whose schema leaves something open", "tools", "strict is left out: OpenAI would refuse them",
        {C, K, C, K, K, K},
        [](const Request& r, Speaker target) {
            return !own(r, target) && std::ranges::any_of(r.tools, is_strict_and_open);
        },
        [](Request& r, Speaker) {
            for (auto& t : r.tools)
                if (is_strict_and_open(t)) t.strict.reset();
        });
    add(
        "tools that do not say whether they are strict", "tools", "left out, it would mean strict: false is sent",
        {K, K, C, K, K, K},
        [](const Request& r, Speaker) {
            return std::ranges::any_of(r.tools,
                                       [](const auto& t) { return t.kind == chat::Tool::Kind::function && !t.strict; });
        },
        [](Request& r, Speaker) {
            for (auto& t : r.tools)
                if (t.kind == chat::Tool::Kind::function && !t.strict) t.strict = false;
        });
    add(
        "tools that say that they are not strict", "tools", "left out, it means the same, and some servers refuse it",
        {C, K, K, K, K, K},
        [](const Request& r, Speaker) {
            return std::ranges::any_of(r.tools, [](const auto& t) { return t.strict == false; });
        },
        [](Request& r, Speaker) {
            for (auto& t : r.tools)
                if (t.strict == false) t.strict.reset();
        });
    add(
        "strict tools", "tools", "the provider has its own rule", {K, C, K, K, C, C},
        [](const Request& r, Speaker) {
            return std::ranges::any_of(r.tools, [](const auto& t) { return t.strict.has_value(); });
        },
        [](Request& r, Speaker) {
            for (auto& t : r.tools) t.strict.reset();
        });
    // ---- the answer's form ----
    add(
        "response_format: json_object", "response_format",
        "it is asked for in words, and an answer that is none is a failure", {K, K, K, C, K, K},
        [](const Request& r, Speaker) { return r.response_format.kind == chat::ResponseFormat::Kind::json_object; },
        ask_for_json_in_words);
    add(
        "response_format: text", "response_format", "it is what the provider does anyway", {K, K, K, C, K, C},
        [](const Request& r, Speaker) { return r.response_format.kind == chat::ResponseFormat::Kind::text; },
        [](Request& r, Speaker) { r.response_format = {}; });
    add(
        "response_format of another kind", "response_format", "use json_schema", {R, R, R, R, R, R},
        [](const Request& r, Speaker s) {
            return !own(r, s) && r.response_format.kind == chat::ResponseFormat::Kind::other;
        },
        [](Request& r, Speaker) { r.response_format = {}; });
    add(
        "name, description and strict of a JSON schema", "response_format", "the schema itself is kept and enforced",
        {K, K, K, C, C, C},
        [](const Request& r, Speaker) { return r.response_format.kind == chat::ResponseFormat::Kind::json_schema; },
        [](Request& r, Speaker) {
            r.response_format.name = "answer";
            r.response_format.description.clear();
            r.response_format.strict.reset();
        });
    add(
        "several answers (n)", "n", "send the request several times", {K, K, R, R, K, R},
        [](const Request& r, Speaker) { return r.choices != 1; }, [](Request& r, Speaker) { r.choices = 1; });
    add(
        "log probabilities", "logprobs", "use a provider that speaks Chat Completions", {K, K, R, R, R, R},
        [](const Request& r, Speaker s) { return r.logprobs || (!own(r, s) && r.top_logprobs.value_or(0) > 0); },
        [](Request& r, Speaker) {
            r.logprobs = false;
            r.top_logprobs.reset();
        });
    // ---- sampling ----
    add("sampling values that change nothing (0 for a penalty, min_p or top_k, 1 for repeat_penalty)", "sampling",
        "they are left out: it is what the provider does anyway", {C, K, C, C, C, K}, has_neutral, leave_out_neutral);
    add(
        "logit_bias", "logit_bias", "leave it out", {K, K, R, R, R, R},
        [](const Request& r, Speaker) {
            return r.sampling.logit_bias.given() && !is_empty_object(r.sampling.logit_bias);
        },
        [](Request& r, Speaker) { r.sampling.logit_bias = {}; });
    add(
        "seed", "seed", "the provider has no such thing", {K, K, H, H, K, K},
        [](const Request& r, Speaker) { return r.sampling.seed.given(); },
        [](Request& r, Speaker) { r.sampling.seed = {}; });
    add(
        "stop sequences", "stop", "the answer is cut there by Tandem", {K, K, C, K, K, K},
        [](const Request& r, Speaker) { return !r.stop.empty(); }, [](Request& r, Speaker) { r.stop.clear(); });
    add(
        "presence and frequency penalty", "presence_penalty", "the provider has no such thing", {K, K, H, H, K, K},
        [](const Request& r, Speaker) {
            return r.sampling.presence_penalty.given() || r.sampling.frequency_penalty.given();
        },
        [](Request& r, Speaker) { r.sampling.presence_penalty = r.sampling.frequency_penalty = {}; });
    add(
        "top_k", "top_k", "the provider has no such thing", {H, K, H, K, K, K},
        [](const Request& r, Speaker s) { return !own_chat(r, s) && r.sampling.top_k.given(); },
        [](Request& r, Speaker) { r.sampling.top_k = {}; });
    add(
        "min_p and repeat_penalty", "min_p", "the provider has no such thing", {H, K, H, H, H, K},
        [](const Request& r, Speaker s) {
            return !own_chat(r, s) && (r.sampling.min_p.given() || r.sampling.repeat_penalty.given());
        },
        [](Request& r, Speaker) { r.sampling.min_p = r.sampling.repeat_penalty = {}; });
    add(
        "temperature above 1", "temperature", "Anthropic takes 0 to 1, so 1 is sent", {K, K, K, H, K, K},
        [](const Request& r, Speaker) { return number(r.sampling.temperature) > 1; },
        [](Request& r, Speaker) { r.sampling.temperature.json = "1"; });
    // ---- thinking ----
    add(
        "a budget for thinking, or only on and off", "thinking", "it becomes low, medium, high or none",
        {C, C, C, K, K, C},
        [](const Request& r, Speaker s) { return r.thinking.budget_tokens || (r.thinking.on && s != Speaker::ollama); },
        think_by_effort);
    add("words for effort that the provider does not have", "reasoning_effort", "the nearest that it has",
        {C, C, C, C, C, C}, needs_other_effort, [](Request& r, Speaker s) { effort_in_words_of(r.thinking, s); });
    add(
        "a summary of the thoughts", "reasoning", "thoughts are shown as the provider has them", {C, C, K, C, C, C},
        [](const Request& r, Speaker) { return !r.thinking.summary.empty(); },
        [](Request& r, Speaker s) {
            r.thinking.summary.clear();
            if (s == Speaker::gemini) r.thinking.shown = true;
        });
    add(
        "whether thoughts are shown", "thinking", "they are shown as the provider has them", {C, C, C, K, K, C},
        [](const Request& r, Speaker) { return r.thinking.shown.has_value(); },
        [](Request& r, Speaker s) {
            if (s == Speaker::openai_responses && *r.thinking.shown) r.thinking.summary = "auto";
            r.thinking.shown.reset();
        });
    add(
        "thinking that is said twice, or in half", "thinking", "said once: off has no size, a size means on",
        {C, C, C, C, C, C},
        [](const Request& r, Speaker s) {
            auto thinking = r.thinking;
            say_thinking_once(thinking, s);
            return !(thinking == r.thinking);
        },
        [](Request& r, Speaker s) { say_thinking_once(r.thinking, s); });
    add("thinking while calls are answered whose thoughts are gone", "thinking",
        "Anthropic wants the thoughts of a turn back; this turn is answered without", {K, K, K, H, K, K},
        thinks_without_thought, [](Request& r, Speaker) { r.thinking = {}; });
    add(
        "thinking where a tool must be called", "thinking", "Anthropic takes no forced call beside thoughts",
        {K, K, K, H, K, K}, [](const Request& r, Speaker) { return thinks(r) && must_call(r); },
        [](Request& r, Speaker) { r.thinking = {}; });
    add("temperature, top_k and low top_p beside thoughts", "temperature", "Anthropic takes none of them there",
        {K, K, K, H, K, K}, samples_beside_thoughts,
        [](Request& r, Speaker) { r.sampling.temperature = r.sampling.top_k = r.sampling.top_p = {}; });
    add(
        "verbosity", "verbosity", "say it in the prompt", {K, H, K, H, H, H},
        [](const Request& r, Speaker) { return !r.verbosity.empty(); },
        [](Request& r, Speaker) { r.verbosity.clear(); });
    return list;
}

// Fields that only the client's dialect knows. A demand is refused by its name, what asks for something is left out
// with a warning, and what asks for nothing is gone.
void fit_extras(Fitted& fitted, Speaker target, bool drop) {
    auto& request = fitted.request;
    if (own(request, target)) return;
    const auto speaker = kSpeakerNames[static_cast<std::size_t>(target)];
    chat::Extra kept;
    for (auto& [name, value] : request.extra) {
        fitted.applied.insert(name);
        if (asks_for_nothing(value)) continue;
        if (target == Speaker::llama_server && is_llama_option(name)) {
            kept.emplace_back(name.substr(name.find('.') + 1), std::move(value));
            continue;
        }
        if (auto said = picture_wish(name, value, target)) {
            kept.push_back(std::move(*said));
            continue;
        }
        if (is_demand(name, value) && !drop) {
            fitted.refused =
                Error{Fault::unknown_field,
                      fmt::format("{}: {} has no such field; leave it out, use a provider that speaks the client's "
                                  "dialect, or set `translation: drop` for the provider in tandem.yaml",
                                  printable(name, 80), speaker),
                      name};
            return;
        }
        fitted.warnings.push_back(fmt::format("{} was left out: {} has no such field", printable(name, 80), speaker));
    }
    request.extra = std::move(kept);
}

}  // namespace

Kind kind_of(Speaker speaker) {
    switch (speaker) {
        case Speaker::openai_chat:
        case Speaker::llama_server:
            break;
        case Speaker::openai_responses:
            return Kind::openai_responses;
        case Speaker::anthropic:
            return Kind::anthropic;
        case Speaker::gemini:
            return Kind::gemini;
        case Speaker::ollama:
            return Kind::ollama;
    }
    return Kind::openai_chat;
}

const std::vector<Feature>& features() {
    static const auto list = make_features();
    return list;
}

Fitted fit(Request request, Speaker target, bool drop) {
    Fitted fitted{std::move(request), {}, {}};
    std::vector<std::string> changes;
    chat::order_results(fitted.request.messages, changes);
    if (!changes.empty()) fitted.applied.emplace("the order of calls and results");
    for (auto& change : changes) fitted.warnings.push_back(std::move(change));
    for (const auto& feature : features()) {
        const auto verdict = feature.verdicts[static_cast<std::size_t>(target)];
        if (verdict == K || !feature.present(fitted.request, target)) continue;
        if (verdict == R && !drop) {
            auto named = feature.first == nullptr ? std::nullopt : feature.first(fitted.request);
            if (!named) named = Named{std::string(feature.name), std::string(feature.field)};
            fitted.refused = Error{
                Fault::unsupported_demand,
                fmt::format("{}: {} cannot be said to {}; {}. (`translation: drop` for the provider in tandem.yaml "
                            "leaves it out instead.)",
                            named->field, named->name, kSpeakerNames[static_cast<std::size_t>(target)], feature.advice),
                named->field};
            return fitted;
        }
        feature.apply(fitted.request, target);
        fitted.applied.emplace(feature.name);
        if (verdict != C)
            fitted.warnings.push_back(fmt::format("{}: {} left out for {}: {}", feature.field, feature.name,
                                                  kSpeakerNames[static_cast<std::size_t>(target)], feature.advice));
    }
    fit_extras(fitted, target, drop);
    // The last rows may have left turns side by side, or an assistant with nothing to say.
    std::erase_if(fitted.request.messages,
                  [](const Message& m) { return m.role == Role::assistant && m.parts.empty() && m.extra.empty(); });
    chat::merge_neighbours(fitted.request.messages, Role::assistant);
    fitted.request.dialect = name_of(kind_of(target));
    return fitted;
}

bool can_be_left_out(const std::string& name, const chat::Raw& value) {
    return !is_demand(name, value) || asks_for_nothing(value);
}

bool has_late_system(const Request& request) {
    return system_is_late(request, Speaker::anthropic);
}

void say_late_system_as_user(Request& request) {
    late_system_to_user(request, Speaker::anthropic);
}

void make_custom_tools_functions(Request& request) {
    custom_to_function(request, Speaker::llama_server);
}

std::string losses_as_markdown() {
    static constexpr std::string_view kWords[] = {"kept", "changed", "left out", "refused"};
    std::string out = "| what | how it is changed, or what to do |";
    for (const auto name : kSpeakerNames) out += fmt::format(" {} |", name);
    out += "\n| --- | --- |";
    for (std::size_t i = 0; i < kSpeakerNames.size(); ++i) out += " --- |";
    out += "\n";
    for (const auto& feature : features()) {
        out += fmt::format("| {} | {} |", feature.name, feature.advice);
        for (const auto verdict : feature.verdicts)
            out += fmt::format(" {} |", kWords[static_cast<std::size_t>(verdict)]);
        out += "\n";
    }
    return out;
}

}  // namespace tandem::dialect
