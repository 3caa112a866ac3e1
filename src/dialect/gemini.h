// Gemini: generateContent and streamGenerateContent (https://ai.google.dev/api/generate-content), v1beta. Names are
// read in camelCase and in snake_case, as the API takes both.
#pragma once

#include "dialect/dialect.h"

namespace tandem::dialect::gemini {

// A signature as clients keep it: the API's are base64, and SDKs read them as that, so a tagged one
// (tagged_signature()) is too. Nothing for none: a thought's text has its own place.
std::string sealed_signature(const std::string& signature, std::string_view signed_by);

const Dialect& dialect();
// Its answers, from the other file.
std::unique_ptr<AnswerReader> make_reader();
std::unique_ptr<AnswerWriter> make_writer(AnswerFrame frame);

// What a part shows: its inlineData or fileData; nothing where it has neither, or no media type with them.
std::optional<chat::Media> media_in(const json::Value& part);
// As members of a part.
void write_media(json::Writer& out, const chat::Media& media);

ErrorReply encode_error(const Error& error);

// GET /v1beta/models and /v1beta/models/{id}.
struct ListedModel {
    std::string id;
    std::int64_t context_tokens = 0;
    bool embeds = false;
};
std::string encode_models(const std::vector<ListedModel>& models);
std::string encode_model(const ListedModel& model);

// What a path such as /v1beta/models/NAME:generateContent names; empty where it is none.
struct Call {
    std::string model;
    std::string method;
};
Call call_of(std::string_view path);

}  // namespace tandem::dialect::gemini
