// OpenAI Responses (https://platform.openai.com/docs/api-reference/responses).
//
// What is kept between requests (previous_response_id, conversation, background) is the gateway's: it puts earlier
// items into `input` before the request is decoded.
#pragma once

#include "dialect/dialect.h"

namespace tandem::dialect::openai_responses {

const Dialect& dialect();
// Its answers, from the other file.
std::unique_ptr<AnswerReader> make_reader();
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame);

// The members that a response repeats from its request, as JSON members separated by commas, without a comma at the
// end.
std::string echo_of(const json::Document& request);

ErrorReply encode_error(const Error& error);

// The items of `input`: a string is one message of the user.
std::vector<std::string> input_items(const json::Value& input);

}  // namespace tandem::dialect::openai_responses
