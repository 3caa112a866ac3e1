#include "gateway/count.h"

#include "gateway/attempt.h"

namespace tandem::gateway {

net::Task<> count_tokens(Way& way, const Decided& decided) {
    std::optional<std::int64_t> tokens;
    Served served;
    for (const auto& candidate : decided.candidates()) {
        const auto* const counter = way.config.provider(candidate.provider)->kind->counter;
        // The first that may see it; that it is too long for the model is what is being asked.
        const bool may =
            candidate.excluded == routing::Excluded::no || candidate.excluded == routing::Excluded::context;
        if (!may) continue;
        if (counter != nullptr && !candidate.redacted &&
            !decided.inputs().features.needs.has(config::Capability::vision)) {
            Attempt attempt(way, decided, {candidate});
            served.record = attempt.record;
            tokens = co_await attempt.count();
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
        dialect::of(way.question.front.kind).encode_count(tokens.value_or(decided.inputs().features.prompt_tokens));
    co_await way.last_byte(std::move(*receipt), std::move(response));
}

}  // namespace tandem::gateway
