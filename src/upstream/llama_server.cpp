// llama.cpp's server, ours or another's.
#include <fmt/format.h>

#include "upstream/manner.h"

namespace tandem::upstream {

namespace {

// A prompt that is too long is a 400 with both numbers beside the message (HAZARDS 14).
Said read_error(const json::Value& body) {
    Said said;
    said.message = message_in(body);
    const auto error = body["error"];
    said.too_long = error["type"].text() == "exceed_context_size_error";
    said.prompt_tokens = error["n_prompt_tokens"].integer().value_or(0);
    said.context_tokens = error["n_ctx"].integer().value_or(0);
    if (said.too_long && said.prompt_tokens > 0)
        said.message += fmt::format(" (prompt {} tokens, context {})", said.prompt_tokens, said.context_tokens);
    return said;
}

}  // namespace

const Manner kLlamaServer = {bearer, read_error, "text/event-stream"};

}  // namespace tandem::upstream
