#include "gateway/count.h"

#include "gateway/attempt.h"

namespace tandem::gateway {

namespace {

net::Task<std::optional<std::int64_t>> exact_count(Way& way, Attempt& attempt, const provider::TokenCounter& counter) {
    auto reservation = way.services.budgets.reserve(way.who, attempt.record.subject(), Money{}, Tokens{});
    const auto& candidate = attempt.candidate();
    auto conversion =
        translate::Conversion::make(way.question, *way.config.provider(candidate.provider), way.model_of(candidate));
    if (!reservation || !conversion) co_return std::nullopt;
    if (auto reached = co_await attempt.reach(); !reached) co_return std::nullopt;
    attempt.speak_to_its_root();
    const auto request = conversion->take_body();
    json::Document answer;
    for (const auto& step : counter.steps)
        if (!co_await attempt.ask_json(*reservation, std::string(step.path), step.body(request, answer.root()), answer))
            co_return std::nullopt;
    const auto tokens = counter.tokens(answer.root());
    if (tokens) attempt.settle({}, "counted", *reservation);
    co_return tokens;
}

}  // namespace

net::Task<> count_tokens(Way& way) {
    std::optional<std::int64_t> tokens;
    Served served;
    for (const auto& candidate : way.decision->candidates) {
        const auto* const counter = way.config.provider(candidate.provider)->kind->counter;
        // The first that may see it; that it is too long for the model is what is being asked.
        const bool may =
            candidate.excluded == routing::Excluded::no || candidate.excluded == routing::Excluded::context;
        if (!may) continue;
        if (counter != nullptr && !candidate.redacted && !way.inputs->features.needs.has(config::Capability::vision)) {
            Attempt attempt(way, candidate);
            served.record = attempt.record;
            tokens = co_await exact_count(way, attempt, *counter);
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
    response.body =
        dialect::of(way.question.front.kind).encode_count(tokens.value_or(way.inputs->features.prompt_tokens));
    co_await way.last_byte(std::move(*receipt), std::move(response));
}

}  // namespace tandem::gateway
