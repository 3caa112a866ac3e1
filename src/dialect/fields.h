// Reading the fields of a request, and what dialects have in common on the wire.
#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/text.h"
#include "chat/conversation.h"
#include "dialect/dialect.h"

namespace tandem::dialect {

// "messages[2].content: expected a string", with the path as param.
std::unexpected<Error> wrong(std::string param, std::string_view expected);

// There, and not null.
inline bool given(const json::Value& value) {
    return value.exists() && !value.is_null();
}
inline chat::Raw raw_of(const json::Value& value) {
    return given(value) ? chat::Raw{std::string(value.raw())} : chat::Raw{};
}

// Each leaves its target as it is where the field is absent or null. Errors: invalid.
Result<> read_string(const json::Value& value, const std::string& param, std::string& target);
Result<> read_flag(const json::Value& value, const std::string& param, bool& target);
Result<> read_flag(const json::Value& value, const std::string& param, std::optional<bool>& target);
Result<> read_number(const json::Value& value, const std::string& param, chat::Raw& target);
Result<> read_count(const json::Value& value, const std::string& param, std::optional<std::int64_t>& target,
                    std::int64_t least = 1);
Result<> read_texts(const json::Value& value, const std::string& param, std::vector<std::string>& target);
// Stop sequences: as read_texts(), without empty ones, which stop nothing.
Result<> read_stops(const json::Value& value, const std::string& param, std::vector<std::string>& target);

// A count that somebody else made, which some write as a text: 0 where it is missing or makes no sense.
inline std::int64_t count_of(const json::Value& value) {
    const std::int64_t count = value.string() ? whole_number(value.text()).value_or(0) : value.integer().value_or(0);
    return std::clamp<std::int64_t>(count, 0, kMostTokens);
}

// Which of several answers an event belongs to. What an upstream numbers beyond the most that there are is the last:
// its number must not decide how much memory we take.
inline std::int64_t choice_of(const json::Value& value) {
    return std::min(count_of(value), chat::kMostChoices - 1);
}

// Content that is a string, which is one text, or a list of parts, each read by read_part(value, param).
// `parts_word`: what the dialect calls them. Errors: invalid.
template <typename ReadPart>
Result<std::vector<chat::Part>> read_parts(const json::Value& value, const std::string& param,
                                           std::string_view parts_word, ReadPart&& read_part) {
    std::vector<chat::Part> parts;
    if (!given(value)) return parts;
    if (const auto text = value.string()) {
        parts.push_back({chat::TextPart{std::string(*text)}, {}});
        return parts;
    }
    if (!value.is(json::Kind::array)) return wrong(param, "a string or a list of " + std::string(parts_word));
    for (const json::Value element : value.children()) {
        auto part = read_part(element, param + "[" + std::to_string(parts.size()) + "]");
        if (!part) return fail(part.error());
        parts.push_back(std::move(*part));
    }
    return parts;
}

// The numbers that Chat Completions and Ollama call by the same names; `prefix` stands before them in errors.
Result<> read_sampling(const json::Value& object, const std::string& prefix, chat::Sampling& sampling);
void write_sampling(json::Writer& out, const chat::Sampling& sampling);

// none, auto and required, as both of OpenAI's APIs say them. False where the text is none of these.
bool read_choice(std::string_view text, chat::ToolChoice& choice);
// The member tool_choice where it is one of these, or what only the client's dialect can say.
void write_choice(json::Writer& out, const chat::ToolChoice& choice);

// A list of strings, where it is not empty.
void write_texts(json::Writer& out, std::string_view name, const std::vector<std::string>& texts);

// The most tokens that the answer may have: as the client says, else as the target's bound.
inline std::optional<std::int64_t> bound_of(const chat::Request& request, const Target& target) {
    if (!request.max_output_tokens && target.answer_bound > 0) return target.answer_bound;
    if (!request.max_output_tokens || target.most_tokens == 0) return request.max_output_tokens;
    return std::min(*request.max_output_tokens, target.most_tokens);
}

// The bound that a body must be given where it is handed on as it is: none where what it says (`said`) stays.
inline std::optional<std::int64_t> bound_to_set(const json::Value& said, const Target& target) {
    const auto count = said.integer();
    if (!count) return target.answer_bound > 0 ? std::optional(target.answer_bound) : std::nullopt;
    return target.most_tokens > 0 && *count > target.most_tokens ? std::optional(target.most_tokens) : std::nullopt;
}

// The members of `object` that are not among `known`, as they are.
void keep_unknown(const json::Value& object, std::initializer_list<std::string_view> known, chat::Extra& extra);

void write_extra(json::Writer& out, const chat::Extra& extra);
// A member where `raw` is given.
void write_raw(json::Writer& out, std::string_view name, const chat::Raw& raw);

// Whether it can be one (RFC 6838 has 127 characters for each half) and stand in a data: URL; empty is.
bool is_media_type(std::string_view type);

// data:image/png;base64,... apart; any other URL as it is.
chat::Media media_of_url(std::string_view url);
std::string url_of(const chat::Media& media);

// JSON on one line, as events and lines of streams want it: a line break in JSON is white space, never part of a
// string.
std::string on_one_line(std::string json);

// One event of a stream: "event: type" where a type is given, "data: ..." with JSON or a mark, an empty line.
void append_event(std::string& out, std::string_view type, std::string_view data);

// Replaces pieces of a document's source and leaves every other byte.
class Splice {
  public:
    explicit Splice(const json::Document& document) : document_(document) {}
    void replace(const json::Value& value, std::string text);
    void insert(std::size_t offset, std::string text);
    // Another key for a member of an object, which keeps its value.
    void rename(const json::Value& member, std::string_view key);
    // Sets a member of an object: replaces its value, or adds it at the end.
    void set(const json::Value& object, std::string_view key, std::string json);
    // Takes members of an object, or elements of a list, out: once for each object, and what is taken out is not
    // changed besides.
    void leave_out(const json::Value& from, const std::function<bool(const json::Value&)>& unwanted);
    bool empty() const { return edits_.empty(); }
    std::string take();

  private:
    struct Edit {
        std::size_t offset;
        std::size_t number;  // of the edits, which orders those at one place
        std::size_t length;
        std::string text;
    };
    // Where a member begins, with its key.
    std::size_t begin_of(const json::Value& member) const;
    const json::Document& document_;
    std::vector<Edit> edits_;
};

// An object with some of its members set, or, where the JSON is empty, taken out; the others keep their bytes and
// place.
std::string with_members(const json::Value& object,
                         const std::vector<std::pair<std::string_view, std::string>>& members);

}  // namespace tandem::dialect
