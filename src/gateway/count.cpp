#include "gateway/count.h"

#include <fmt/format.h>

#include "gateway/attempt.h"

namespace tandem::gateway {

namespace {

net::Task<std::optional<std::int64_t>> exact_count(Way& way, Attempt& attempt) {
    auto reservation = way.services.budgets.reserve(way.who, attempt.record.subject(), Money{}, Tokens{});
    const auto& candidate = attempt.candidate();
    auto conversion =
        translate::Conversion::make(way.question, *way.config.provider(candidate.provider), way.model_of(candidate));
    if (!reservation || !conversion) co_return std::nullopt;
    if (auto reached = co_await attempt.reach(); !reached) co_return std::nullopt;
    attempt.speak_to_its_root();
    json::Document answer;
    if (!co_await attempt.ask_json(*reservation, "/apply-template", conversion->take_body(), answer))
        co_return std::nullopt;
    json::Writer out;
    out.begin_object().member("content", answer.root()["prompt"].text()).member("add_special", true);
    out.member("parse_special", true).end_object();
    if (!co_await attempt.ask_json(*reservation, "/tokenize", out.take(), answer)) co_return std::nullopt;
    const auto tokens = answer.root()["tokens"];
    if (!tokens.is(json::Kind::array)) co_return std::nullopt;
    attempt.settle({}, "counted", *reservation);
    co_return static_cast<std::int64_t>(tokens.size());
}

std::string body_of(dialect::Kind kind, std::int64_t number) {
    switch (kind) {
        case dialect::Kind::gemini:
            return fmt::format("{{\"totalTokens\":{}}}", number);
        case dialect::Kind::openai_responses:
            return fmt::format("{{\"object\":\"response.input_tokens\",\"input_tokens\":{}}}", number);
        default:
            return fmt::format("{{\"input_tokens\":{}}}", number);
    }
}

}  // namespace

net::Task<> count_tokens(Way& way) {
    std::optional<std::int64_t> tokens;
    Served served;
    for (const auto& candidate : way.decision->candidates) {
        const auto kind = way.config.provider(candidate.provider)->kind;
        const bool llama = kind == config::ProviderKind::engine || kind == config::ProviderKind::llama_server;
        // The first that may see it; that it is too long for the model is what is being asked.
        const bool may =
            candidate.excluded == routing::Excluded::no || candidate.excluded == routing::Excluded::context;
        if (!may) continue;
        if (llama && !candidate.redacted && !way.inputs->features.needs.has(config::Capability::vision)) {
            Attempt attempt(way, candidate);
            served.record = attempt.record;
            tokens = co_await exact_count(way, attempt);
        }
        break;
    }
    if (!tokens) way.warn("the number of tokens is an estimate");
    auto receipt = co_await way.close_record();
    if (!receipt) {
        co_await way.refuse(receipt.error());
        co_return;
    }
    net::Response response;
    response.headers = way.answer_headers(served, "application/json");
    response.headers.add("x-tandem-count", tokens ? "exact" : "estimate");
    response.body = body_of(way.question.front.kind, tokens.value_or(way.inputs->features.prompt_tokens));
    co_await way.last_byte(std::move(*receipt), std::move(response));
}

}  // namespace tandem::gateway
