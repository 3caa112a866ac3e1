// What every wire API can do, as one interface: read a client's request, write a provider's, read a provider's answer,
// write a client's. Each dialect turns its words into the canonical form and back, so that any client reaches any
// provider with N + M converters. A dialect knows JSON and its own framing, and nothing of sockets.
//
// What a target cannot say is found before encoding (losses.h); an encoder is given only what its dialect has.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "chat/answer.h"
#include "chat/conversation.h"
#include "chat/filter.h"

namespace tandem::dialect {

enum class Kind : std::uint8_t { openai_chat, openai_responses, anthropic, gemini, ollama };
inline constexpr std::array<std::string_view, 5> kKindNames = {"openai-chat", "openai-responses", "anthropic", "gemini",
                                                               "ollama"};
inline std::string_view name_of(Kind kind) {
    return kKindNames[static_cast<std::size_t>(kind)];
}

// A client's request: its body, and its path, in which Gemini names the model and whether to stream.
struct Incoming {
    const json::Document& body;
    std::string_view path;
};

// The model that a request goes to.
struct Target {
    std::string model;  // as its provider calls it
    bool stream = false;
    bool ask_for_usage = false;       // the provider understands Chat Completions' stream_options
    std::int64_t context_tokens = 0;  // 0: not known
    bool ask_for_logprobs = false;    // Chat Completions: though the request does not
    std::int64_t answer_bound = 0;    // tokens that the answer may have, where the request sets no bound; 0: none
    std::int64_t most_tokens = 0;     // what the request asks for at most becomes this, where it is more; 0: as it is
    // Chat Completions: the server is not OpenAI itself, and is told only what all of them take: no role developer,
    // text alone as one string.
    bool plain = false;
    std::string_view most_word = {};  // Chat Completions: what it calls the bound of an answer; empty: as the client
    // Responses: what Tandem says of itself, unless the server has refused it.
    bool takes_store = true, takes_include = true;
};

struct Outgoing {
    std::string path;  // below the provider's base URL, which ends in the version (".../v1")
    std::string body;
};

struct ErrorReply {
    int status;
    std::string body;
};

enum class Framing : std::uint8_t { sse, ndjson };

using Events = std::vector<chat::Event>;

// Reads one answer of a provider. Whatever is in it: what is not understood is skipped, nothing is fatal.
class AnswerReader {
  public:
    virtual ~AnswerReader() = default;
    // An answer that came whole.
    virtual void whole(const json::Value& answer, Events& events) = 0;
    // One event of a stream.
    virtual void piece(const json::Value& data, Events& events) = 0;
    // Data of an event that is no JSON but a mark of the stream's end; true where it was one.
    virtual bool mark(std::string_view) { return false; }
    // The stream is over: what was held back.
    virtual void end(Events&) {}
    // The stream has said that it is over.
    virtual bool done() const = 0;
};

// What an answer has from its request.
struct AnswerFrame {
    std::string id;                          // unique, without a dialect's prefix
    std::string model;                       // shown where the provider names none
    std::int64_t created = 0;                // Unix seconds
    std::function<std::int64_t()> now;       // Unix seconds, when it is called; empty: as created
    std::int64_t prompt_tokens = 0;          // estimated, for dialects that say it before the answer
    const chat::Request* request = nullptr;  // outlives the writer
    bool array = false;                      // Gemini: a stream as one JSON array instead of events
    bool generate = false;                   // Ollama: /api/generate, which answers with one text
    std::string echo;                        // Responses: what the answer repeats of its request (echo_of())
    // Responses: members in which a provider's response object becomes ours: its id, and what is kept here, not there.
    std::vector<std::pair<std::string_view, std::string>> own;
    // Whose reasoning it is: a dialect, or a dialect and a provider ("openai-chat/deepseek"). Empty: the writer's own.
    std::string signed_by;
};

// Writes one answer for a client. A stream is event() any number of times, then end() or fail().
class AnswerWriter {
  public:
    virtual ~AnswerWriter() = default;
    // Appends the framed bytes of what the client can be told by now.
    virtual void event(const chat::Event& event, std::string& out) = 0;
    // The orderly end; `usage` is what the ledger has.
    virtual void end(const Usage& usage, std::string& out) = 0;
    // The stream breaks off. Nothing follows.
    virtual void fail(const Error& error, std::string& out) = 0;
    // An answer in one piece.
    virtual std::string whole(const chat::Answer& answer, const Usage& usage) = 0;
    // Whether its dialect has a place for such media in an answer; what it has none for is left out.
    virtual bool says(const chat::Media&) const { return false; }
    // OpenAI Responses: the final response object of a stream, once it has ended.
    virtual std::string response() const { return {}; }
};

class Dialect {
  public:
    virtual ~Dialect() = default;
    virtual Kind kind() const = 0;
    virtual Framing framing() const { return Framing::sse; }
    // Errors: invalid, with the path of the field as param.
    virtual Result<chat::Request> decode_request(const Incoming& incoming) const = 0;
    // The whole request. Deterministic, so that a provider's prompt cache meets the same prefix again.
    virtual Outgoing encode_request(const chat::Request& request, const Target& target) const = 0;
    // The client's bytes for a provider of the same dialect: only what must change changes. `incoming` is one that
    // decode_request() took.
    virtual Outgoing forward_request(const Incoming& incoming, const Target& target) const = 0;
    virtual std::unique_ptr<AnswerReader> reader() const = 0;
    virtual std::unique_ptr<AnswerWriter> writer(AnswerFrame frame) const = 0;
    // Before an answer has begun.
    virtual ErrorReply encode_error(const Error& error) const = 0;

    // ---- what is odd about its clients ----

    // The header in which an answer says which request it is of.
    virtual std::string_view id_header() const { return "x-request-id"; }
    std::string_view stream_type() const {
        return framing() == Framing::ndjson ? "application/x-ndjson" : "text/event-stream";
    }
    // Its clients skip comments in a stream.
    virtual bool has_comments() const { return framing() == Framing::sse; }
    // A stream is one JSON array instead of events; `alt`: what the parameter of that name says in the request's URL.
    virtual bool streams_array(std::string_view /*alt*/) const { return false; }
    // A sign of life while an answer is made, which says nothing: a comment of SSE, where its clients skip those.
    virtual std::string beat(const AnswerFrame&) const { return ": keep-alive\n\n"; }
    // What closes a stream in a provider's own words that ended without its mark; most need nothing.
    virtual std::string_view stream_end() const { return {}; }
    // The answer to a request to count its tokens.
    virtual std::string encode_count(std::int64_t tokens) const;
    // The parameter of the URL in which its clients say their key; empty: they say it in headers alone.
    virtual std::string_view key_parameter() const { return {}; }
    // Its clients ask for betas in a header, which is handed on to providers of the same dialect.
    virtual bool has_betas() const { return false; }
    // A stream that is handed on in its provider's own words can be ended behind any event.
    virtual bool ends_anywhere() const { return false; }
    // The list of messages in a request, and the message behind them with which an answer begins.
    struct Beginning {
        std::string_view list;
        std::string message;
    };
    virtual Beginning beginning(std::string_view text) const;

    // ---- what is odd about its providers ----

    // Servers may want thoughts back that are in no standard of it (reasoning_content).
    virtual bool may_demand_thoughts() const { return false; }
    // The calls of an answer get the names by which the request knows its tools.
    virtual void know_names(const chat::Request&, Events&) const {}
    // The same in a stream. Null: names are known as they come. The request outlives it.
    virtual std::unique_ptr<chat::EventFilter> names_filter(const chat::Request&) const { return nullptr; }
};

const Dialect& of(Kind kind);

}  // namespace tandem::dialect
