// Ollama. That it cuts a long prompt without a word is met where requests for it are made: each names its context
// (dialect/ollama.cpp), and the config must give one.
#include "base/text.h"
#include "upstream/manner.h"

namespace tandem::upstream {

namespace {

// {"error": "..."}; a prompt that is too long comes as the words of the llama.cpp inside.
Said read_error(const json::Value& body) {
    Said said;
    said.message = message_in(body);
    const auto text = lower(said.message);
    said.too_long = text.find("exceeds the available context size") != std::string::npos ||
                    text.find("exceeds maximum context length") != std::string::npos;
    take_numbers(said, false);
    return said;
}

}  // namespace

const Manner kOllama = {bearer, read_error, "application/x-ndjson"};

}  // namespace tandem::upstream
