// OpenAI and what speaks its words: Chat Completions and Responses.
#include "base/text.h"
#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {

// "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens." vLLM says the
// same with "requested", and has no code for it.
Said read_openai_error(const json::Value& body) {
    Said said;
    said.message = message_in(body);
    const auto error = body["error"];
    said.too_long = error["code"].text() == "context_length_exceeded" ||
                    error["type"].text() == "exceed_context_size_error" ||
                    lower(said.message).find("maximum context length") != std::string::npos;
    const auto code = error["code"].text();
    // Azure's and OpenAI's words for what they will not answer.
    said.filtered = code == "content_filter" || code == "content_policy_violation";
    // Groq refuses the request for what its model made of it: a call that is none, or JSON that is none.
    said.misspoke = code == "tool_use_failed" || code == "json_validate_failed" || code == "output_parse_failed" ||
                    error["failed_generation"].exists();
    // A llama-server behind a provider of this kind gives both numbers beside its message.
    said.prompt_tokens = error["n_prompt_tokens"].integer().value_or(0);
    said.context_tokens = error["n_ctx"].integer().value_or(0);
    take_numbers(said, true);
    return said;
}

extern const Kind kOpenAi;
constinit const Kind kOpenAi = {.name = "openai",
                                .product = "OpenAI",
                                .speaker = dialect::Speaker::openai_chat,
                                .asking_path = "/chat/completions",
                                .authorize = bearer,
                                .read_error = read_openai_error};

extern const Kind kResponses;
constinit const Kind kResponses = {.name = "responses",
                                   .product = "OpenAI Responses",
                                   .speaker = dialect::Speaker::openai_responses,
                                   .asking_path = "/responses",
                                   .authorize = bearer,
                                   .read_error = read_openai_error,
                                   .signs_reasoning = true,
                                   .price_book = "openai"};

}  // namespace tandem::provider
