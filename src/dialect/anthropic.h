// Anthropic Messages (https://docs.anthropic.com/en/api/messages), and its models list.
#pragma once

#include "dialect/dialect.h"
#include "dialect/openai_chat.h"

namespace tandem::dialect::anthropic {

const Dialect& dialect();
// Its answers, from the other file.
std::unique_ptr<AnswerReader> make_reader();
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame);

// Whether an answer in one piece, or an event, leaves out what every client reads: the usage, a list for the content,
// and how an answer in one piece ends.
bool lacks_members(const json::Value& said);
// The same with all of them; `usage` as far as it is known. `calls`: the answer calls tools.
std::string with_all_members(const json::Document& said, const Usage& usage, bool calls);

ErrorReply encode_error(const Error& error);

// GET /v1/models and /v1/models/{id} for a client that sends anthropic-version.
std::string encode_models(const std::vector<openai_chat::ListedModel>& models);
std::string encode_model(const openai_chat::ListedModel& model);

}  // namespace tandem::dialect::anthropic
