// Ollama. That it cuts a long prompt without a word is met where requests for it are made: each names its context
// (dialect/ollama.cpp), and the config must give one.
#include <algorithm>

#include "base/text.h"
#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {

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

std::string describe_url(const std::string& base_url) {
    return base_url + "/api/show";
}

std::string describe_body(const std::string& model) {
    json::Writer body;
    body.begin_object().member("model", model).end_object();
    return body.take();
}

// Ollama says what a model was trained for, what it can do, and whether it runs here at all.
Description read_description(const json::Value& show) {
    Description said;
    for (const json::Value member : show["model_info"].children())
        if (const auto tokens = member.integer().value_or(0); member.key().ends_with(".context_length") && tokens > 0)
            said.context_tokens = said.context_tokens == 0 ? tokens : std::min(said.context_tokens, tokens);
    said.elsewhere = show["remote_host"].exists() || show["remote_model"].exists();
    bool embeds = false, talks = false;
    for (const json::Value can : show["capabilities"].children()) {
        embeds = embeds || can.text() == "embedding";
        talks = talks || can.text() == "completion";
    }
    said.only_embeds = embeds && !talks;
    return said;
}

constexpr ModelDescriber kDescriber = {describe_url, describe_body, read_description};

}  // namespace

extern const Kind kOllama;
constinit const Kind kOllama = {.name = "ollama",
                                .product = "Ollama",
                                .speaker = dialect::Speaker::ollama,
                                .usual_url = "http://127.0.0.1:11434",
                                .with_version = root_of,
                                .list_path = "/api/tags",
                                .own_list = true,
                                .url_varies = false,
                                .authorize = bearer,
                                .read_error = read_error,
                                .stream_type = "application/x-ndjson",
                                .describer = &kDescriber,
                                .continues_answers = true,
                                .serves_others_models = true,
                                .cuts_prompts = true,
                                .price_book = "ollama"};

}  // namespace tandem::provider
