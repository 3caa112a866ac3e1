// Members of Chat Completions that every client reads and some servers leave out.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "dialect/failure.h"
#include "dialect/fields.h"
#include "dialect/openai_chat.h"

namespace tandem::dialect::openai_chat {

namespace {

using json::Kind;
using json::Value;
using Members = std::vector<std::pair<std::string_view, std::string>>;

// Texts and thoughts that came as a list of parts, as two strings; false where there is anything else among them.
bool joined(const Value& parts, std::string& text, std::string& thought) {
    for (const Value part : parts.children()) {
        const auto type = part["type"].text();
        if (type == "text")
            text += part["text"].text();
        else if (type == "thinking")
            thought += thinking_text(part);
        else
            return false;
    }
    return true;
}

std::string_view word_for(bool chunk) {
    return chunk ? "chat.completion.chunk" : "chat.completion";
}

// Members of a delta that are there with a value or not at all: clients with a schema refuse null or an empty role for
// them, and some take an empty list of calls for a call (microsoft/vscode#322728, anomalyco/opencode#28427).
constexpr auto kNeverEmpty = std::to_array<std::string_view>({"role", "tool_calls", "function_call"});

bool is_empty(const Value& member) {
    return member.is_null() || (member.is(Kind::array) && member.size() == 0) || member.string() == "";
}

bool has_empty(const Value& delta) {
    return std::ranges::any_of(kNeverEmpty, [&](auto name) { return delta[name].exists() && is_empty(delta[name]); });
}

// A chunk that has the usage alone: its list of choices is empty, and not left out (anomalyco/opencode#1298).
bool lacks_choices(const Value& answer) {
    return !answer["choices"].is(Kind::array) && answer["usage"].is(Kind::object) && !given(answer["error"]);
}

// A delta or a message whose content is a string; as it is where that is so.
std::string with_text(const Value& said, bool piece) {
    Members members;
    if (piece)
        for (const auto name : kNeverEmpty)
            if (said[name].exists() && is_empty(said[name])) members.emplace_back(name, "");
    std::string text, thought;
    if (said["content"].is(Kind::array) && joined(said["content"], text, thought)) {
        members.emplace_back("content", json::quoted(text));
        if (!thought.empty() && !given(said["reasoning_content"]))
            members.emplace_back("reasoning_content", json::quoted(thought));
    }
    if (!piece && said["role"].text().empty()) members.emplace_back("role", "\"assistant\"");
    return members.empty() ? std::string(said.raw()) : with_members(said, members);
}

// What a choice of a chunk says, wherever it says it.
std::string delta_of(const Value& choice) {
    for (const auto* name : {"delta", "message"})
        if (const Value said = choice[name]; said.is(Kind::object)) return with_text(said, true);
    if (const auto text = choice["text"].string())
        return json::Writer().begin_object().member("content", *text).end_object().take();
    return "{}";
}

std::string message_of(const Value& choice) {
    if (choice["message"].is(Kind::object)) return with_text(choice["message"], false);
    return json::Writer()
        .begin_object()
        .member("role", "assistant")
        .member("content", choice["text"].text())
        .end_object()
        .take();
}

std::string whole_choice(const Value& choice, std::size_t number, bool chunk) {
    Members members;
    if (!choice["index"].integer()) members.emplace_back("index", std::to_string(number));
    const std::string_view name = chunk ? "delta" : "message";
    auto said = chunk ? delta_of(choice) : message_of(choice);
    if (said != choice[name].raw()) {
        members.emplace_back(name, std::move(said));
        for (const auto* other : {"message", "delta", "text"})
            if (other != name && choice[other].exists()) members.emplace_back(other, "");
    }
    if (!chunk && !choice["finish_reason"].string()) {
        const bool calls = choice["message"]["tool_calls"].size() > 0;
        members.emplace_back("finish_reason", calls ? "\"tool_calls\"" : "\"stop\"");
    }
    return members.empty() ? std::string(choice.raw()) : with_members(choice, members);
}

}  // namespace

bool lacks_members(const Value& answer, bool chunk) {
    if (!answer.is(Kind::object)) return false;
    if (!answer["id"].string() || answer["object"].text() != word_for(chunk) || !answer["model"].string() ||
        !answer["created"].integer() || (chunk && lacks_choices(answer)))
        return true;
    const std::string_view name = chunk ? "delta" : "message";
    for (const Value choice : answer["choices"].children()) {
        const Value said = choice[name];
        if (!choice["index"].integer() || !said.is(Kind::object) || said["content"].is(Kind::array)) return true;
        if (chunk && has_empty(said)) return true;
        if (!chunk && (said["role"].text().empty() || !choice["finish_reason"].string())) return true;
    }
    return false;
}

std::string with_all_members(const json::Document& answer, const Ours& ours, bool chunk) {
    const Value root = answer.root();
    Members members;
    if (!root["id"].string()) members.emplace_back("id", json::quoted(ours.id));
    if (root["object"].text() != word_for(chunk)) members.emplace_back("object", json::quoted(word_for(chunk)));
    if (!root["created"].integer()) members.emplace_back("created", std::to_string(ours.created));
    if (!root["model"].string()) members.emplace_back("model", json::quoted(ours.model));
    if (root["choices"].is(Kind::array)) {
        std::string choices;
        std::size_t number = 0;
        for (const Value choice : root["choices"].children()) {
            choices += (number > 0 ? "," : "") +
                       (choice.is(Kind::object) ? whole_choice(choice, number, chunk) : std::string(choice.raw()));
            ++number;
        }
        members.emplace_back("choices", "[" + choices + "]");
    } else if (chunk && lacks_choices(root)) {
        members.emplace_back("choices", "[]");
    }
    return with_members(root, members);
}

}  // namespace tandem::dialect::openai_chat
