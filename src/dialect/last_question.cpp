#include "dialect/last_question.h"

#include <array>

#include "dialect/fields.h"

namespace tandem::dialect {

namespace {

using json::Value;

// How a dialect writes its turns.
struct Words {
    std::string_view turns;    // the list of them
    std::string_view content;  // of one
    std::string_view alone;    // a text in place of turns; empty: there is none
    std::string_view type;     // of a part that is text; empty: it has no type
};
constexpr std::array<Words, kKindNames.size()> kWords = {{{"messages", "content", "", "text"},
                                                          {"input", "content", "input", "input_text"},
                                                          {"messages", "content", "", "text"},
                                                          {"contents", "parts", "", ""},
                                                          {"messages", "content", "prompt", "text"}}};

bool is_text(const Value& part, const Words& words) {
    if (!part["text"].string()) return false;
    const auto type = part["type"].text();
    return words.type.empty() || type == words.type || type == "text";
}

bool has_text(const Value& content, const Words& words) {
    if (content.is(json::Kind::string)) return true;
    for (const Value part : content.children())
        if (part.is(json::Kind::object) && is_text(part, words)) return true;
    return false;
}

// Gemini's turns need not say whose they are; an item of Responses is a message where it does not say what it is.
bool is_users(const Value& turn) {
    if (const auto type = turn["type"]; type.exists() && type.text() != "message") return false;
    const auto role = turn["role"];
    return !role.exists() || role.text() == "user";
}

std::string joined(std::string_view text, const Value& question) {
    return json::quoted(std::string(text) + std::string(question.text()));
}

std::string text_part(std::string_view text, const Words& words) {
    json::Writer out;
    out.begin_object();
    if (!words.type.empty()) out.member("type", words.type);
    return out.member("text", text).end_object().take();
}

// Before the first text: what answers calls has to stay first.
std::string with_part(const Value& content, std::string_view text, const Words& words) {
    json::Writer out;
    out.begin_array();
    bool done = false;
    for (const Value part : content.children()) {
        if (!done && is_text(part, words)) {
            out.raw(text_part(text, words));
            done = true;
        }
        out.raw(part.raw());
    }
    return out.end_array().take();
}

std::string with_text(const Value& turn, std::string_view text, const Words& words) {
    const auto content = turn[words.content];
    return with_members(turn, {{words.content, content.is(json::Kind::string) ? joined(text, content)
                                                                              : with_part(content, text, words)}});
}

}  // namespace

std::optional<std::string> with_text_before_question(dialect::Kind kind, const Value& request, std::string_view text) {
    const bool as_responses = kind == Kind::openai_chat && !request["messages"].exists();
    const auto& words = kWords[static_cast<std::size_t>(as_responses ? Kind::openai_responses : kind)];
    if (const auto alone = request[words.alone]; !words.alone.empty() && alone.is(json::Kind::string))
        return with_members(request, {{words.alone, joined(text, alone)}});
    const auto turns = request[words.turns];
    std::size_t count = 0, last = 0;  // places from 1
    for (const Value turn : turns.children()) {
        ++count;
        if (turn.is(json::Kind::object) && is_users(turn) && has_text(turn[words.content], words)) last = count;
    }
    if (last == 0) return std::nullopt;
    json::Writer out;
    out.begin_array();
    count = 0;
    for (const Value turn : turns.children()) out.raw(++count == last ? with_text(turn, text, words) : turn.raw());
    return with_members(request, {{words.turns, out.end_array().take()}});
}

}  // namespace tandem::dialect
