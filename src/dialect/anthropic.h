// Anthropic Messages (https://docs.anthropic.com/en/api/messages), and its models list.
#pragma once

#include "dialect/dialect.h"
#include "dialect/openai_chat.h"

namespace tandem::dialect::anthropic {

const Dialect& dialect();
// Its answers, from the other file.
std::unique_ptr<AnswerReader> make_reader();
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame);

ErrorReply encode_error(const Error& error);

// GET /v1/models and /v1/models/{id} for a client that sends anthropic-version.
std::string encode_models(const std::vector<openai_chat::ListedModel>& models);
std::string encode_model(const openai_chat::ListedModel& model);

}  // namespace tandem::dialect::anthropic
