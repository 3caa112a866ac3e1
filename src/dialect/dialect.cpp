#include "dialect/dialect.h"

#include <fmt/format.h>

#include "dialect/anthropic.h"
#include "dialect/gemini.h"
#include "dialect/ollama.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_responses.h"

namespace tandem::dialect {

std::string Dialect::encode_count(std::int64_t tokens) const {
    return fmt::format("{{\"input_tokens\":{}}}", tokens);
}

Dialect::Beginning Dialect::beginning(std::string_view text) const {
    json::Writer message;
    message.begin_object().member("role", "assistant").member("content", text).end_object();
    return {"messages", message.take()};
}

const Dialect& of(Kind kind) {
    switch (kind) {
        case Kind::openai_chat:
            break;
        case Kind::openai_responses:
            return openai_responses::dialect();
        case Kind::anthropic:
            return anthropic::dialect();
        case Kind::gemini:
            return gemini::dialect();
        case Kind::ollama:
            return ollama::dialect();
    }
    return openai_chat::dialect();
}

}  // namespace tandem::dialect
