// llama.cpp's server, ours or another's.
#include <fmt/format.h>

#include <array>

#include "dialect/losses.h"
#include "provider/kind.h"

namespace tandem::provider {

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

// llama-server has more than its OpenAI paths: the prompt as its chat template makes it, then the tokens of that.
std::string template_body(const std::string& request, const json::Value&) {
    return request;
}

std::string tokenize_body(const std::string&, const json::Value& before) {
    if (!before["prompt"].is(json::Kind::string)) return {};
    json::Writer out;
    out.begin_object().member("content", before["prompt"].text()).member("add_special", true);
    out.member("parse_special", true).end_object();
    return out.take();
}

std::optional<std::int64_t> tokens_in(const json::Value& answer) {
    const auto tokens = answer["tokens"];
    if (!tokens.is(json::Kind::array)) return std::nullopt;
    return static_cast<std::int64_t>(tokens.size());
}

constexpr auto kSteps =
    std::to_array<TokenCounter::Step>({{"/apply-template", template_body}, {"/tokenize", tokenize_body}});
constexpr TokenCounter kCounter = {kSteps, tokens_in};

std::string describe_url(const std::string& base_url) {
    return root_of(base_url) + "/props";
}

// How large its context is, and what its chat template knows: measured beats claimed.
Description read_description(const json::Value& props) {
    Description said;
    said.context_tokens = props["default_generation_settings"]["n_ctx"].integer().value_or(0);
    said.context_is_the_servers = true;
    said.knows_tools = props["chat_template"].text().find("tools") != std::string_view::npos;
    return said;
}

constexpr ModelDescriber kDescriber = {describe_url, nullptr, read_description};

}  // namespace

extern const Kind kEngine;
constinit const Kind kEngine = {.name = "engine",
                                .product = "the embedded engine",
                                .speaker = dialect::Speaker::llama_server,
                                .authorize = bearer,
                                .read_error = read_error,
                                .counter = &kCounter,
                                .runs_here = true,
                                .continues_answers = true,
                                .holds_to_grammar = true,
                                .takes_grammar = true,
                                .price_book = "engine"};

extern const Kind kLlamaServer;
constinit const Kind kLlamaServer = {.name = "llama-server",
                                     .product = "llama-server",
                                     .speaker = dialect::Speaker::llama_server,
                                     .with_version = with_v1,
                                     .authorize = bearer,
                                     .read_error = read_error,
                                     .counter = &kCounter,
                                     .describer = &kDescriber,
                                     .continues_answers = true,
                                     .holds_to_grammar = true,
                                     .takes_any_name = true,
                                     .price_book = "llama-server"};

}  // namespace tandem::provider
