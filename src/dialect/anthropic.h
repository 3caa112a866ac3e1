// Anthropic Messages (https://docs.anthropic.com/en/api/messages), and its models list.
#pragma once

#include "dialect/dialect.h"
#include "dialect/openai_chat.h"

namespace tandem::dialect::anthropic {

const Dialect& dialect();

// The same for POST /v1/messages/count_tokens, which has no max_tokens.
Result<chat::Request> decode_count(const json::Document& document);

ErrorReply encode_error(const Error& error);

// GET /v1/models and /v1/models/{id} for a client that sends anthropic-version.
std::string encode_models(const std::vector<openai_chat::ListedModel>& models);
std::string encode_model(const openai_chat::ListedModel& model);

}  // namespace tandem::dialect::anthropic
