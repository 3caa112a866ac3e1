// OpenAI Chat Completions (https://platform.openai.com/docs/api-reference/chat), and the legacy Completions beside it.
//
// Where client and provider both speak it, chunks are handed on as they came; chunk_facts() reads from them what the
// ledger must know.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/sealed.h"
#include "chat/told.h"
#include "dialect/dialect.h"

namespace tandem::dialect::openai_chat {

const Dialect& dialect();
// Its answers, from the other file.
std::unique_ptr<AnswerReader> make_reader();
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame);

// Errors: invalid, with the path of the field as param.
Result<chat::Request> decode_request(const json::Document& document);
// Legacy Completions: a prompt instead of messages. Answers are written by the writer as its text_completion.
Result<chat::Request> decode_completion(const json::Document& document);

// The whole request as JSON, for `model` as the provider calls it. Deterministic.
std::string encode_request(const chat::Request& request, std::string_view model);

// The client's bytes with the target's model name, and with stream_options.include_usage and logprobs where it wants
// them. `document` is one that decode_request() accepted.
std::string forward_request(const json::Document& document, const Target& target);

// An answer, or a chunk of one, without the log-probabilities that its client did not ask for.
std::string without_logprobs(const json::Document& answer);

// What a relay must know of a chunk that it hands on as it is; the same facts as the reader gives, without copies.
struct ChunkFacts {
    std::size_t text_bytes = 0;    // of text, reasoning, tool calls
    std::int64_t thousandths = 0;  // the same in thousandths of a token (chat/token_weights.h)
    std::int64_t deltas = 0;       // choices that say something in it
    std::size_t finished = 0;      // choices that end with it
    bool only_usage = true;        // no choices in it
    bool calls = false;            // a choice calls tools
    bool lacking = false;          // lacks_members()
    std::optional<Usage> usage;
    std::optional<Error> error;
};
// What it says of the first choice is added to `told`, where that is wanted.
ChunkFacts chunk_facts(const json::Value& chunk, chat::Told* told = nullptr);

// The chunk without the end that it says.
std::string without_end(const json::Document& chunk);

// The calls in the chunks of one stream, as clients add them up: some servers number them from 1, give every call 0, or
// leave the number out, and some leave out the id, say it and the name in each piece, say the name late, or say a call
// twice.
class CallPieces {
  public:
    CallPieces();
    ~CallPieces();
    // The chunk with numbers from 0 in the order in which the calls began, an id and a name where each begins and there
    // alone; none where it is so.
    std::optional<std::string> put_right(const json::Document& chunk);
    // Pieces for calls of a choice that have no arguments at its end: an object is read even where it is empty.
    std::string rest(std::int64_t choice);

  private:
    struct State;
    std::unique_ptr<State> state_;
};
// A chunk of our own with such pieces.
std::string calls_chunk(std::int64_t choice, std::string_view pieces, std::string_view id, std::string_view model,
                        std::int64_t created);

// A whole answer whose calls have ids, and arguments that are the text of an object; none where they have.
std::optional<std::string> with_whole_calls(const json::Document& answer);

// Whether a member is missing that every client reads: the id, object, model and time of an answer, the index and the
// delta (`chunk`) or message of each choice, text as a string, no null for the role or the calls of a delta, and, of an
// answer in one piece, who says it and how it ends. Some servers say null for them, say a message in a stream, or text
// as a list of parts.
bool lacks_members(const json::Value& answer, bool chunk);
// The answer, or the chunk, with all of them.
struct Ours {
    std::string id, model;     // where its provider says none
    std::int64_t created = 0;  // Unix seconds
};
std::string with_all_members(const json::Document& answer, const Ours& ours, bool chunk);

// A usage chunk of our own, for a client that asked where the provider sent none.
std::string usage_chunk(const Usage& usage, std::string_view id, std::string_view model, std::int64_t created);

// The chunk that ends an answer, with this finish reason.
std::string end_chunk(std::int64_t choice, std::string_view word, std::string_view id, std::string_view model,
                      std::int64_t created);

inline constexpr std::string_view kDone = "[DONE]";

// Gemini behind Chat Completions wants its signature back in the member extra_content of the call that it came with. In
// a ReasoningPart's signature it is this and the member's JSON.
inline constexpr std::string_view kExtraContent = "extra_content:";
// The text of a part "thinking", in which Mistral's models think: a string, or a list of texts.
std::string thinking_text(const json::Value& part);

using chat::kReasoningDetails;
// The elements of the list that a signature is, with commas between them; empty where it is none.
std::string reasoning_details_of(std::string_view signature);

// The writer of legacy Completions' answers.
std::unique_ptr<AnswerWriter> completion_writer(AnswerFrame frame);

ErrorReply encode_error(const Error& error);
// The type and code that OpenAI's APIs use for it, and its HTTP status.
struct ErrorShape {
    int status;
    std::string_view type;
    std::string_view code;
};
ErrorShape shape_of(ErrorCode code);
// The `code` of an error: OpenAI's own where it has one, else the name of the fault.
std::string_view code_of(const Error& error);

// The answer of GET /v1/models and of GET /v1/models/{id}. `created` in Unix seconds. The sizes are not OpenAI's own
// members: clients read `context_length` and `max_completion_tokens` as OpenRouter has them, `max_model_len` as vLLM.
struct ListedModel {
    std::string id;
    std::string owner;
    std::int64_t context_tokens = 0;     // 0: not known, and not said
    std::int64_t max_output_tokens = 0;  // likewise
};
std::string encode_models(const std::vector<ListedModel>& models, std::int64_t created);
std::string encode_model(const ListedModel& model, std::int64_t created);

}  // namespace tandem::dialect::openai_chat
