// How many tokens a prompt has, by the tokenizer and the chat template of the model's own server: for a client that
// wants to know, and where an estimate leaves open whether the prompt fits.
#include <fmt/format.h>

#include "chat/estimate.h"
#include "gateway/attempt.h"
#include "gateway/weight.h"

namespace tandem::gateway {

namespace {

constexpr milliseconds kCountTime{5'000};        // for each question: a server that takes longer is asked itself
constexpr std::size_t kMostCounted = 8UL << 20;  // bytes of a request

}  // namespace

net::Task<bool> Attempt::ask_json(const ledger::Reservation& reservation, std::string path, std::string body,
                                  json::Document& answer) {
    auto clearance = co_await clear(std::move(body), {});
    if (!clearance) co_return false;
    upstream::Call call;
    call.path = std::move(path);
    auto endpoint = endpoint_;
    // Beside the paths of its dialect.
    endpoint.base_url = provider::root_of(std::move(endpoint.base_url));
    const auto until = std::min(way_.deadline.at, way_.services.clock.steady() + kCountTime);
    auto answered =
        co_await upstream::send(way_.gateway.client_of(way_.exchange.worker()), std::move(*clearance), reservation,
                                endpoint, std::move(call), until, cancel_, way_.services.clock);
    if (!answered) co_return false;
    auto text = co_await answered->answer.read_all(memory_, kAnswerCopies);
    co_return text&& answer.parse(*text).has_value();
}

net::Task<std::optional<std::int64_t>> Attempt::tokens_of(const std::string& request,
                                                          const ledger::Reservation& reservation) {
    const auto& counter = *provider_.kind->counter;
    if (request.size() > kMostCounted) co_return std::nullopt;
    json::Document answer;
    for (const auto& step : counter.steps) {
        auto body = step.body(request, answer.root());
        if (body.empty() || !co_await ask_json(reservation, std::string(step.path), std::move(body), answer))
            co_return std::nullopt;
    }
    co_return counter.tokens(answer.root());
}

net::Task<std::optional<std::int64_t>> Attempt::count() {
    auto reservation = way_.services.budgets.reserve(way_.who, record.subject(), Money{}, Tokens{});
    auto conversion = translate::Conversion::make(way_.question, provider_, model_);
    if (!reservation || !conversion) co_return std::nullopt;
    if (auto reached = co_await reach(); !reached) co_return std::nullopt;
    const auto tokens = co_await tokens_of(conversion->take_body(), *reservation);
    if (tokens) settle({}, "counted", *reservation);
    co_return tokens;
}

bool Attempt::fit_is_open() const {
    const auto& features = decided_.inputs().features;
    if (!entry_.counts_tokens || entry_.context_tokens == 0 || prompt_tokens_ > 0) return false;
    if (question().front.operation != translate::Operation::chat || features.needs.has(config::Capability::vision))
        return false;
    const auto room = std::max(features.answer_tokens, routing::least_room(entry_, features));
    const auto most = std::max(features.most_tokens, asked_ ? chat::most_prompt(asked_->request).count : 0);
    return most == 0 || most > entry_.context_tokens - std::min(room, entry_.context_tokens);
}

net::Task<std::optional<std::int64_t>> Attempt::count_prompt() {
    co_return co_await tokens_of(conversion_->outgoing().body, *reservation_);
}

Result<> Attempt::hold_fit(std::int64_t prompt) const {
    const auto context = entry_.context_tokens;
    const auto room = routing::least_room(entry_, decided_.inputs().features);
    if (prompt + room <= context) return {};
    Error error{
        Fault::prompt_too_long,
        fmt::format("{} has a context of {} tokens, and the prompt has {} by its own tokenizer, with {} for the "
                    "answer; shorten the conversation, or ask for a shorter answer",
                    candidate_.model, context, prompt, room)};
    error.prompt_tokens = prompt + room;
    error.context_tokens = context;
    return fail(std::move(error));
}

}  // namespace tandem::gateway
