// The lists of models in the shape that each dialect's clients ask for. A principal sees what it may use.
#pragma once

#include "gateway/gateway.h"

namespace tandem::gateway {

// OpenAI's, Anthropic's or Gemini's shape, by the headers and the path of the request.
Result<std::string> list_models(Gateway& gateway, const Call& call);
// Call::parts has the model. Errors: not_found, with the nearest.
Result<std::string> read_model(Gateway& gateway, const Call& call);

// Ollama's.
Result<std::string> list_tags(Gateway& gateway, const Call& call);
Result<std::string> list_running(Gateway& gateway, const Call& call);
Result<std::string> show_model(Gateway& gateway, const Call& call);
// A client that pulls what is there hears that it is; nothing is fetched. Errors: not_found.
Result<std::string> pull_model(Gateway& gateway, const Call& call);
// What only Ollama's owner does there, and tandem.yaml here. Errors: forbidden, always.
Result<std::string> manage_models(Gateway& gateway, const Call& call);
// Whether Ollama's chat or completion is asked for nothing, which means: load the model, or let go of it. Reads small
// bodies alone.
bool is_load(const net::Request& request);
// The answer to that: a model that is known is there, and is loaded when it is asked. Errors: invalid, not_found.
Result<std::string> load_model(Gateway& gateway, const Call& call);
Result<std::string> ollama_version(Gateway& gateway, const Call& call);

}  // namespace tandem::gateway
