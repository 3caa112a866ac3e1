// The canonical form of a request and its answer: what every dialect decodes into and encodes from. Plain values.
//
// A `Raw` is JSON that Tandem does not interpret (a tool's schema, a number, an unknown field), kept byte for byte. An
// empty one stands for "not given".
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/money.h"
#include "base/result.h"

namespace tandem::chat {

// Of one request. More than any client sends, and few enough that what is made of each stays small.
inline constexpr std::size_t kMostMessages = 20'000;
inline constexpr std::size_t kMostParts = 50'000;  // of all messages
inline constexpr std::size_t kMostTools = 5'000;

inline constexpr std::int64_t kMostChoices = 128;  // answers to one request; what an upstream sends beyond is none

struct Raw {
    std::string json;
    bool given() const { return !json.empty(); }
    bool operator==(const Raw&) const = default;
};

// Fields that a dialect knows and the canonical form does not, in the client's order.
using Extra = std::vector<std::pair<std::string, Raw>>;

enum class Role { system, developer, user, assistant, tool };

// A place in a file that an answer goes back to.
struct Source {
    std::int64_t number = 0;  // by which the answer names it
    std::string path;         // absolute
    std::string title;
    std::int64_t first_line = 0, last_line = 0, page = 0;  // 0: the format has none
    std::string text;                                      // what stands there

    // "/home/ada/notes/solar.md:3", or "/home/ada/manual.pdf, page 2": what a person can open.
    std::string place() const;
    // The same as a file: URL, with "#L3" or "#page=2".
    std::string url() const;
    // Its title, or else the name of its file.
    std::string name() const;
    bool operator==(const Source&) const = default;
};

// A source that is named in a text: by its bytes `begin` to `end`, which are the number's.
struct Citation {
    std::size_t begin = 0, end = 0;
    Source source;
    bool operator==(const Citation&) const = default;
};

struct TextPart {
    std::string text;
    std::vector<Citation> citations{};  // of an answer's
    bool operator==(const TextPart&) const = default;
};

// What a model would not say.
struct RefusalPart {
    std::string text;
    bool operator==(const RefusalPart&) const = default;
};

// Bytes, by value or by reference; one of url, data and file_id is given.
struct Media {
    std::string url;         // http(s); Tandem never fetches it
    std::string media_type;  // of data
    std::string data;        // base64
    std::string file_id;     // an upload at one provider
    bool operator==(const Media&) const = default;
};

struct ImagePart {
    Media media;
    std::string detail;
    bool operator==(const ImagePart&) const = default;
};

// A file: bytes such as a PDF, or plain text.
struct DocumentPart {
    Media media;
    std::string text;
    std::string name;
    bool operator==(const DocumentPart&) const = default;
};

struct AudioPart {
    Media media;
    bool operator==(const AudioPart&) const = default;
};

// What a model thought. `signature` is its provider's proof, without which that provider does not take it back; of a
// redacted part it is the whole content. `dialect` is the one whose provider signed it.
struct ReasoningPart {
    std::string text;
    std::string signature;
    bool redacted = false;
    std::string dialect;
    bool operator==(const ReasoningPart&) const = default;
};

struct ToolCallPart {
    std::string id;
    std::string name;
    std::string arguments;  // as the model wrote it: usually a JSON object, but nothing promises that
    bool custom = false;    // `arguments` is free text for a tool without a schema
    Extra extra;
    Raw item{};  // the whole of it, where its own dialect has another word for it than a function's call
    bool operator==(const ToolCallPart&) const = default;
};

struct Part;

struct ToolResultPart {
    std::string call_id;
    std::string name;
    std::vector<Part> content;
    bool is_error = false;
    bool custom = false;
    Raw item{};  // as of a call
    bool operator==(const ToolResultPart&) const;
};

// A part that only its own dialect can say, whole.
struct OtherPart {
    std::string type;
    Raw json;
    std::string place{};  // in the client's request ("input[3]"), for errors
    // What the others are told in its place; empty: nothing is lost without it. Not given: it cannot be left out.
    std::optional<std::vector<Part>> instead;
    bool alone = false;  // an item of the conversation, not a part of a message
    bool operator==(const OtherPart&) const;
};

struct Part {
    std::variant<TextPart, RefusalPart, ImagePart, DocumentPart, AudioPart, ReasoningPart, ToolCallPart, ToolResultPart,
                 OtherPart>
        body;
    Raw cache;  // "the prompt up to here will come again": Anthropic's cache_control

    template <typename T>
    const T* as() const {
        return std::get_if<T>(&body);
    }
    template <typename T>
    T* as() {
        return std::get_if<T>(&body);
    }
    bool operator==(const Part&) const = default;
};

inline bool ToolResultPart::operator==(const ToolResultPart&) const = default;
inline bool OtherPart::operator==(const OtherPart&) const = default;

// One turn's parts in order. A tool result is alone in a message of role tool.
struct Message {
    Role role = Role::user;
    std::vector<Part> parts;
    std::string name;
    Extra extra;
    bool operator==(const Message&) const = default;
};

struct Tool {
    enum class Kind {
        function,
        custom,  // takes free text
        hosted,  // run by its provider
    } kind = Kind::function;
    // What a hosted tool does, where several dialects have words for it.
    enum class Service { other, web_search } service = Service::other;
    std::string name;  // no other tool of the request has it
    std::string description;
    Raw parameters;  // JSON schema of a function's arguments, format of a custom tool's text
    std::optional<bool> strict;
    Raw cache;
    Raw hosted;   // the whole definition of a hosted tool
    Extra extra;  // of the definition
    // Responses: the namespace in which it stands at the client, what that is said to be for, and its name there.
    std::string space{}, space_description{}, name_in_space{};
    bool operator==(const Tool&) const = default;
};

struct ToolChoice {
    enum class Kind { unset, none, automatic, required, named, other } kind = Kind::unset;
    std::string name;  // of a named tool
    Raw other;         // what only the client's dialect can say
    // Of kind other: the tools that may be called and no other, and whether one must be; empty: it is another thing.
    std::vector<std::string> allowed{};
    bool must_call = false;
    bool operator==(const ToolChoice&) const = default;
};

struct ResponseFormat {
    enum class Kind { unset, text, json_object, json_schema, other } kind = Kind::unset;
    std::string name;
    std::string description;
    Raw schema;
    std::optional<bool> strict;
    Raw other;
    bool asks_json() const { return kind == Kind::json_object || kind == Kind::json_schema; }
    bool operator==(const ResponseFormat&) const = default;
};

// Numbers as the client wrote them.
struct Sampling {
    Raw temperature, top_p, top_k, min_p, seed, presence_penalty, frequency_penalty, repeat_penalty, logit_bias;
    bool operator==(const Sampling&) const = default;
};

// Whether and how much a model shall think.
struct Thinking {
    std::optional<bool> on;
    std::string effort;                         // none, minimal, low, medium, high, xhigh, max
    std::optional<std::int64_t> budget_tokens;  // at most; a dialect says one or the other
    std::string summary;                        // auto, concise, detailed
    std::optional<bool> shown;                  // whether the client wants to see it
    bool operator==(const Thinking&) const = default;
};

struct Request {
    std::string dialect;  // the client's; whose words the extras are
    std::string model;    // alias or model id, as the client wrote it
    std::vector<Message> messages;
    std::vector<Tool> tools;
    ToolChoice tool_choice;
    std::optional<bool> parallel_tool_calls;
    ResponseFormat response_format;
    std::optional<std::int64_t> max_output_tokens;
    std::int64_t context_tokens = 0;  // the context that the client wants (Ollama's num_ctx), 0 where it does not say
    bool stream = false;
    bool include_usage = false;      // asked for usage at the end of a stream
    bool legacy_max_tokens = false;  // Chat Completions has two names for it, and servers differ in what they take
    bool legacy_functions = false;   // the client speaks of functions, not of tools
    std::int64_t choices = 1;        // n
    bool logprobs = false;
    std::optional<std::int64_t> top_logprobs;
    std::vector<std::string> stop;
    Sampling sampling;
    Thinking thinking;
    std::string verbosity;  // low, medium, high
    Extra extra;
    bool operator==(const Request&) const = default;
};

// ---- events: an answer, streamed or whole, as a sequence ----

struct Started {
    std::string id;
    std::string model;
    bool operator==(const Started&) const = default;
};
struct TextDelta {
    std::int64_t choice = 0;
    std::string text;
    bool operator==(const TextDelta&) const = default;
};
// The end of the text that was said last, so many bytes of it, names a source.
struct Cited {
    std::int64_t choice = 0;
    std::size_t bytes = 0;
    Source source;
    bool operator==(const Cited&) const = default;
};
struct RefusalDelta {
    std::int64_t choice = 0;
    std::string text;
    bool operator==(const RefusalDelta&) const = default;
};
// A picture, sound or file that the model made, whole.
struct MediaSaid {
    std::int64_t choice = 0;
    Media media;
    bool operator==(const MediaSaid&) const = default;
};
struct ReasoningDelta {
    std::int64_t choice = 0;
    std::string text;
    bool operator==(const ReasoningDelta&) const = default;
};
// The end of one reasoning part, with what its provider wants to see again.
struct ReasoningEnd {
    std::int64_t choice = 0;
    std::string signature;
    bool redacted = false;
    bool operator==(const ReasoningEnd&) const = default;
};
struct ToolCallDelta {
    std::int64_t choice = 0;
    std::int64_t index = 0;  // among the calls of this answer, from 0
    std::string id;          // first fragment only
    std::string name;        // first fragment only
    std::string arguments;   // a fragment
    bool custom = false;
    bool operator==(const ToolCallDelta&) const = default;
};
// Nothing follows for this call. Not every dialect says it.
struct ToolCallEnd {
    std::int64_t choice = 0;
    std::int64_t index = 0;
    bool operator==(const ToolCallEnd&) const = default;
};
struct Logprobs {
    std::int64_t choice = 0;
    Raw json;  // Chat Completions' shape
    bool operator==(const Logprobs&) const = default;
};
enum class Finish { stop, length, tool_calls, content_filter, context, pause, other };
struct Finished {
    std::int64_t choice = 0;
    Finish reason = Finish::stop;
    std::string detail;  // the stop sequence that was met, or the provider's own word
    bool operator==(const Finished&) const = default;
};
struct Used {
    Usage usage;
};
struct Failed {
    Error error;
};

using Event = std::variant<Started, TextDelta, Cited, RefusalDelta, MediaSaid, ReasoningDelta, ReasoningEnd,
                           ToolCallDelta, ToolCallEnd, Logprobs, Finished, Used, Failed>;

}  // namespace tandem::chat
