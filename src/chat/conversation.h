// The canonical form of a request and its answer: what every dialect decodes into and encodes from. Plain values.
//
// A `Raw` is JSON that Tandem does not interpret (a tool's schema, an unknown field); it is kept byte for byte.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/money.h"
#include "base/result.h"

namespace tandem::chat {

struct Raw {
    std::string json;
    bool operator==(const Raw&) const = default;
};

// Fields that a dialect knows and the canonical form does not, in the client's order.
using Extra = std::vector<std::pair<std::string, Raw>>;

enum class Role { system, developer, user, assistant, tool, function };

struct TextPart {
    std::string text;
    bool operator==(const TextPart&) const = default;
};

struct ImagePart {
    std::string url;  // http(s) or data: URL; Tandem never fetches it
    std::string detail;
    bool operator==(const ImagePart&) const = default;
};

// A part of another type (audio, file, refusal), whole.
struct OtherPart {
    std::string type;
    Raw json;
    bool operator==(const OtherPart&) const = default;
};

using Part = std::variant<TextPart, ImagePart, OtherPart>;

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  // as the model wrote it: usually JSON, but nothing promises that
    Extra extra;
    bool operator==(const ToolCall&) const = default;
};

struct Message {
    Role role = Role::user;
    // nullopt: no content, or null. One text part and a plain string are told apart by `content_is_string`, since some
    // servers treat them differently.
    std::optional<std::vector<Part>> content;
    bool content_is_string = true;
    std::vector<ToolCall> tool_calls;
    std::string tool_call_id;
    std::string name;
    Extra extra;
    bool operator==(const Message&) const = default;
};

struct Tool {
    std::string name;  // empty for a tool type that has none
    Raw json;          // the whole definition, schema included
    bool operator==(const Tool&) const = default;
};

struct ToolChoice {
    enum class Kind { unset, none, automatic, required, other } kind = Kind::unset;
    Raw json;  // for `other`: a named tool, an allowed set
    bool operator==(const ToolChoice&) const = default;
};

struct ResponseFormat {
    enum class Kind { unset, text, json_object, json_schema, other } kind = Kind::unset;
    Raw json;
    bool operator==(const ResponseFormat&) const = default;
};

struct Request {
    std::string model;  // alias or model id, as the client wrote it
    std::vector<Message> messages;
    std::vector<Tool> tools;
    ToolChoice tool_choice;
    ResponseFormat response_format;
    std::optional<std::int64_t> max_output_tokens;
    // Which of the two names the client used for it: servers differ in what they accept.
    bool legacy_max_tokens = false;
    bool stream = false;
    bool include_usage = false;  // asked for usage at the end of a stream
    std::int64_t choices = 1;    // n
    bool logprobs = false;
    std::vector<std::string> stop;
    // Sampling and the rest are numbers and flags that we hand on as they were written: temperature, top_p, seed,
    // penalties, logit_bias, metadata, unknown fields, ...
    Extra extra;
    bool operator==(const Request&) const = default;
};

// ---- events: an answer, streamed or whole, as a sequence ----

struct Started {
    std::string id;
    std::string model;
};
struct TextDelta {
    std::int64_t choice = 0;
    std::string text;
};
struct ReasoningDelta {
    std::int64_t choice = 0;
    std::string text;
};
struct ToolCallDelta {
    std::int64_t choice = 0;
    std::int64_t index = 0;
    std::string id;         // first fragment only
    std::string name;       // first fragment only
    std::string arguments;  // a fragment
};
struct Finished {
    std::int64_t choice = 0;
    std::string reason;  // stop, length, tool_calls, content_filter, or the provider's own word
};
struct Used {
    Usage usage;
};
struct Failed {
    Error error;
};

using Event = std::variant<Started, TextDelta, ReasoningDelta, ToolCallDelta, Finished, Used, Failed>;

}  // namespace tandem::chat
