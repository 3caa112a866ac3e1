// OpenAI Chat Completions: requests and answers to and from the canonical form
// (https://platform.openai.com/docs/api-reference/chat).
//
// It promises that decode and encode lose nothing: fields it does not know are kept byte for byte. Where client and
// provider both speak this dialect, forward_request() changes only what has to change and leaves every other byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "chat/conversation.h"

namespace tandem::dialect::openai_chat {

// Errors: invalid, with the path of the field as param.
Result<chat::Request> decode_request(const json::Document& document);

// The whole request as JSON, for `model` as the provider calls it. Deterministic.
std::string encode_request(const chat::Request& request, std::string_view model);

// The client's bytes with the provider's model name, and, where `ask_for_usage`, stream_options.include_usage.
// `document` is one that decode_request() accepted.
std::string forward_request(const json::Document& document, std::string_view model, bool ask_for_usage);

// The events of one chunk of a stream, or of a whole answer. What is not understood is skipped.
void decode_chunk(const json::Value& chunk, std::vector<chat::Event>& events);
void decode_answer(const json::Value& answer, std::vector<chat::Event>& events);

// What a relay must know of a chunk that it hands on as it is; the same facts as decode_chunk() gives, without copies.
struct ChunkFacts {
    std::size_t text_bytes = 0;  // of text, reasoning, tool calls
    std::size_t finished = 0;    // choices that end with it
    bool only_usage = true;      // no choices in it
    std::optional<Usage> usage;
    std::optional<Error> error;
};
ChunkFacts chunk_facts(const json::Value& chunk);

// What the chunks of one stream have in common.
struct StreamFrame {
    std::string id;
    std::string model;
    std::int64_t created = 0;  // Unix seconds
};

// One event as the data of a chunk. Empty for events that this dialect says in no chunk of their own.
std::string encode_chunk(const chat::Event& event, const StreamFrame& frame);

inline constexpr std::string_view kDone = "[DONE]";

struct ErrorReply {
    int status;
    std::string body;
};
ErrorReply encode_error(const Error& error);

// The answer of GET /v1/models and of GET /v1/models/{id}. `created` in Unix seconds.
struct ListedModel {
    std::string id;
    std::string owner;
};
std::string encode_models(const std::vector<ListedModel>& models, std::int64_t created);
std::string encode_model(const ListedModel& model, std::int64_t created);

}  // namespace tandem::dialect::openai_chat
