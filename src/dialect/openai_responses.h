// OpenAI Responses (https://platform.openai.com/docs/api-reference/responses).
//
// What is kept between requests (previous_response_id, conversation, background) is the gateway's: it puts earlier
// items into `input` before the request is decoded.
#pragma once

#include "chat/filter.h"
#include "dialect/dialect.h"

namespace tandem::dialect::openai_responses {

const Dialect& dialect();
// Its answers, from the other file.
std::unique_ptr<AnswerReader> make_reader();
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame);

// The members that a response repeats from its request, as JSON members separated by commas, without a comma at the
// end.
std::string echo_of(const json::Document& request);

// A provider's response object as the client gets it: with what is ours in it (frame.own), and with every member that a
// response must have, where the provider left it out.
std::string as_ours(const json::Value& response, const AnswerFrame& frame);

// The name by which a tool of a namespace is known everywhere else.
std::string name_in(std::string_view space, std::string_view name);

// How the reader names a call of a tool in a namespace: as no tool may be called, so that it is not taken for another
// one. know_spaces() puts the name in its place that the request knows the tool by. The filter does that in a stream;
// the request outlives it.
std::string qualified(std::string_view space, std::string_view name);
void know_spaces(const chat::Request& request, Events& events);
std::unique_ptr<chat::EventFilter> spaces_filter(const chat::Request& request);

ErrorReply encode_error(const Error& error);

// The items of `input`: a string is one message of the user.
std::vector<std::string> input_items(const json::Value& input);

}  // namespace tandem::dialect::openai_responses
