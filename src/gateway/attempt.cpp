#include "gateway/attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "base/text.h"
#include "chat/estimate.h"
#include "chat/rendered_tools.h"
#include "chat/told.h"
#include "dialect/refused_fields.h"
#include "gateway/standing.h"
#include "gateway/weight.h"
#include "ledger/prices/tool_calls.h"
#include "privacy/guard.h"
#include "translate/plainer.h"
#include "upstream/answer_room.h"

namespace tandem::gateway {

namespace {

constexpr int kBadRequest = 400;

// Of a 200 that turned out to be none: by what it says itself, where it does.
config::FailureClass class_of(const Error& error) {
    using enum config::FailureClass;
    if (error.code == ErrorCode::timeout) return timeout;
    if (error.code == ErrorCode::context) return context;
    if (error.code == ErrorCode::rate_limited) return rate_limit;
    if (error.code == ErrorCode::unauthenticated) return key;
    return error.code == ErrorCode::not_found ? not_found : invalid_output;
}

}  // namespace

// What a provider says of our key is not about the client's.
FaultCode Attempt::code_for_client(FaultCode code) {
    if (code == ErrorCode::rate_limited) return Fault::provider_rate_limited;
    if (code == ErrorCode::unauthenticated) return Fault::provider_refused_key;
    if (code == ErrorCode::not_found) return Fault::provider_unknown_model;
    // Nor is its answer, where that is too large or too deep, the client's request.
    return code == ErrorCode::too_large ? Fault::provider_answer_too_large : code;
}

upstream::Failure Attempt::ours(Error error, upstream::Remedy remedy) {
    upstream::Failure failure;
    failure.error = std::move(error);
    failure.remedy = remedy;
    return failure;
}

Attempt::Attempt(Way& way, const Decided& decided, AttemptPlan plan)
    : Served{way.new_attempt(decided, plan.candidate.provider, way.shown_name(plan.candidate), plan.candidate.zone),
             std::move(plan.sent)},
      way_(way),
      decided_(decided),
      candidate_(plan.candidate),
      entry_(*way.snapshot->table.find(candidate_.model)),
      provider_(*way.config.provider(candidate_.provider)),
      model_(way.model_of(candidate_)),
      price_(price_of(*way.snapshot, entry_, way.named)),
      hints_{way.snapshot->pricing->book_id(provider_.id), model_.name, "", {}, {}, true},
      started_(way.services.clock.steady()),
      better_(plan.better),
      queues_(plan.queues),
      others_follow_(plan.others_follow),
      joins_(plan.relay != nullptr),
      asked_(std::move(plan.question)),
      splice_(std::move(plan.splice)),
      endpoint_(upstream::endpoint_of(provider_)),
      notes_(way.take_unrecorded()),
      citing_(plan.citing ? std::move(plan.citing) : std::make_shared<chat::CitingNotes>()),
      memory_(way.services.memory.open(MemoryKind::answer, way.who.id(), true)),
      relay_(std::move(plan.relay)) {
    auto& request = way.exchange.cancel();
    request.on_fire(hook_, [this, &request] { cancel_.fire(request.reason()); });
}

void Attempt::lose() {
    lost_ = true;
    if (ready_)
        cancelled(true);
    else
        cancel_.fire(net::Cancel::Reason::not_needed);
}

const translate::Question& Attempt::question() const {
    if (sent) return sent->question;
    return asked_ ? *asked_ : way_.question;
}

// ---- asking ----

net::Task<Next> Attempt::begin() {
    const auto next = co_await send();
    if (next != Next::ready) co_return next;
    auto begun = Next::ready;
    if (streamed_ && way_.request().stream)
        begun = co_await begin_stream();
    else if (joins_)
        begun =
            unreadable({Fault::provider_misspoke, fmt::format("{} answered in one piece", provider_.id)}, unknown());
    else
        begun = co_await begin_whole();
    ready_ = begun == Next::ready;
    co_return begun;
}

net::Task<Next> Attempt::give() {
    if (relay_) co_return co_await give_stream();
    co_return co_await give_whole();
}

net::Task<Next> Attempt::send() {
    auto& services = way_.services;
    const bool last_resort = decided_.last_resort() == provider_.id;
    const bool hurried =
        way_.deadline.is_clients && way_.deadline.at < services.clock.steady() + provider_.first_byte_timeout;
    trial_ = engine() && !last_resort ? upstream::Health::Trial()
                                      : services.health.try_it(provider_.id, last_resort, hurried);
    if (!trial_) {
        auto why = services.health.unhealthy(provider_.id);
        if (why.empty()) why = fmt::format("{} is being tried by another request, after it failed", provider_.id);
        co_return skipped({Fault::provider_unwell, std::move(why)});
    }
    if (auto reserved = reserve(); !reserved) co_return skipped(reserved.error());

    // Most often nothing has to be waited for.
    const auto asked = room_asked();
    if (auto room = services.gate.try_enter(asked)) {
        pass_ = std::move(*room);
    } else {
        auto pass = co_await wait_for_room(asked);
        if (cancel_.fired()) co_return cancelled(false);
        if (!pass) co_return skipped(pass.error());
        pass_ = std::move(*pass);
    }
    if (engine()) {
        auto reached = co_await reach();
        if (cancel_.fired()) co_return cancelled(false);
        if (!reached) co_return failed(ours(reached.error(), upstream::Remedy::next));
    }
    const auto keys = engine() ? 0 : provider_.api_keys.size();
    used_key_ = keys < 2 ? 0 : services.health.key_of(provider_.id, keys);
    if (!engine()) endpoint_.api_key = provider_.api_keys[used_key_];
    if (const auto bound = way_.failure_policy().attempt_timeout; bound.count() > 0)
        endpoint_.first_byte_timeout = std::min(endpoint_.first_byte_timeout, bound);
    Result<> chosen = choose_question();
    if (chosen) chosen = co_await convert();
    if (cancel_.fired()) co_return cancelled(false);
    if (!chosen) {
        auto failure = ours(chosen.error(), upstream::Remedy::next);
        if (failure.error.code == ErrorCode::context) failure.what = config::FailureClass::context;
        co_return failed(std::move(failure));
    }
    auto answered = co_await ask(opened());
    if (!answered) {
        auto& failure = answered.error();
        if (cancel_.fired()) co_return cancelled(failure.sent || failure.status != 0);
        way_.history.own_error = conversion_->same();
        const auto what = failure.what;
        const bool slow = what == config::FailureClass::timeout && !way_.client_is_late();
        if (what == config::FailureClass::rate_limit || slow || failure.status == 503)
            pass_.say(upstream::Gate::Verdict::overloaded);
        if (failure.rest) services.health.rest(provider_.id, used_key_, *failure.rest, reason_for_all(failure));
        const auto usage = usage_of_failure(failure);
        const bool asks_again = understands(failure);
        const auto next = failed(std::move(failure), usage);
        way_.history.in_other_words = asks_again;
        co_return asks_again ? Next::retry : next;
    }
    pass_.say(upstream::Gate::Verdict::good);
    // A provider that says that nothing is left for now is believed before it refuses.
    if (const auto rest = upstream::rest_wanted(answered->answer.headers(), services.clock.wall()); rest && !engine())
        services.health.rest(provider_.id, used_key_, *rest);
    record.status = 200;
    if (way_.history.plainly == candidate_.model)
        services.wants.learn_plain(way_.who.id(), provider_.id, model_.name, conversion_->unusual());
    streamed_ = answered->stream;
    answer_ = std::move(answered->answer);
    co_return Next::ready;
}

net::Task<std::expected<upstream::Sent, upstream::Failure>> Attempt::ask(store::Store::Job also) {
    using Failed = std::unexpected<upstream::Failure>;
    auto call = call_of();
    auto clearance = co_await clear(conversion_->take_body(), std::move(also));
    if (!clearance) {
        const bool storage = clearance.error().code == ErrorCode::storage;
        co_return Failed(ours(clearance.error(), storage ? upstream::Remedy::give_up : upstream::Remedy::next));
    }
    if (cancel_.fired()) co_return Failed(ours({Fault::client_gone, way_.who_ended()}, upstream::Remedy::give_up));
    co_return co_await upstream::send(way_.gateway.client_of(way_.exchange.worker()), std::move(*clearance),
                                      *reservation_, endpoint_, std::move(call), way_.deadline.at, cancel_,
                                      way_.services.clock);
}

bool Attempt::wants_thoughts(const upstream::Failure& failure, std::string_view words) {
    auto& thoughts = way_.gateway.thoughts();
    if (!dialect::of(kind_of(provider_.kind->speaker)).may_demand_thoughts() ||
        failure.what != config::FailureClass::invalid_request || !chat::needs_rendered_tools(question().request) ||
        thoughts.demanded(candidate_.model) != translate::Thoughts::Wanted::nothing)
        return false;
    const auto wanted = translate::wanted_in(words);
    if (wanted == translate::Thoughts::Wanted::nothing) return false;
    thoughts.demand(candidate_.model, wanted);
    note(fmt::format("{} wants its thoughts back with each call: a blank was sent for those that are not known",
                     candidate_.model));
    return true;
}

// Whether the refusal tells how the same is asked so that it is not refused: in other words, or for a shorter answer.
bool Attempt::understands(const upstream::Failure& failure) {
    return learns_from(failure) || is_told_plainly(failure);
}

bool Attempt::learns_from(const upstream::Failure& failure) {
    const auto words = dialect::own_words_of(failure.body, question().document.root());
    if (wants_thoughts(failure, words)) return true;
    if (way_.services.wants.learn(provider_.id, model_.name, failure.status, words,
                                  dialect::leavable_fields(question().request)))
        return true;
    const auto room = way_.history.room > 0 ? 0 : upstream::room_in(failure.body, conversion_->most_tokens());
    if (room > 0) way_.history.room = room;
    return room > 0 || is_told_without_thoughts(failure, words);
}

// A refusal within a 200 has no status; its words say the same.
bool Attempt::learns_from(const Error& said) {
    if (said.code != ErrorCode::upstream && said.code != ErrorCode::context) return false;
    auto refusal = ours(said, upstream::Remedy::give_up);
    refusal.what = config::FailureClass::invalid_request;
    refusal.status = kBadRequest;
    refusal.body = fmt::format(R"({{"error":{{"message":{}}}}})", json::quoted(said.message));
    return learns_from(refusal);
}

bool Attempt::refuses_words_of_chat(const upstream::Failure& failure) const {
    constexpr int kUnprocessable = 422;
    return failure.what == config::FailureClass::invalid_request &&
           (failure.status == kBadRequest || failure.status == kUnprocessable) &&
           question().front.operation == translate::Operation::chat;
}

// Whether a request that was refused for its thoughts has those of another provider: it is tried once without.
bool Attempt::is_told_without_thoughts(const upstream::Failure& failure, std::string_view words) {
    if (!refuses_words_of_chat(failure) || way_.history.thoughtless == candidate_.model ||
        !translate::refuses_thoughts(words))
        return false;
    way_.history.thoughtless = candidate_.model;
    return true;
}

// Whether the model is asked once more, with what was wrong with its call or its JSON.
bool Attempt::is_told_what_is_wrong() {
    if (way_.history.corrected == candidate_.model) return false;
    way_.history.corrected = candidate_.model;
    way_.history.correction = conversion_->call_notes().wrong.front();
    return true;
}

// Whether a request that was refused for itself has words of its dialect that not every server takes: it is tried once
// without.
bool Attempt::is_told_plainly(const upstream::Failure& failure) {
    const auto speaker = provider_.kind->speaker;
    if (!refuses_words_of_chat(failure) || way_.history.plainly == candidate_.model ||
        !conversion_->unusual().empty() || kind_of(speaker) != question().front.kind || question().as_responses ||
        !translate::said_plainly(question().request, provider_, speaker))
        return false;
    way_.history.plainly = candidate_.model;
    return true;
}

Result<> Attempt::reserve() {
    auto features = decided_.inputs().features;
    // Where it goes on with an answer, that is part of its prompt.
    if (asked_) {
        features.prompt_tokens = std::max(features.prompt_tokens, chat::estimate_prompt(asked_->request).count);
        features.most_tokens = std::max(features.most_tokens, chat::most_prompt(asked_->request).count);
    }
    most_ = routing::worst_usage(entry_, features);
    most_prompt_ = routing::most_input(features);
    if (features.bound_tokens > 0) {
        bound_ = most_.output.count;
        most_.output.count = way_.gateway.overruns().most(candidate_.model, bound_, way_.services.clock.steady());
    }
    sets_bound_ = routing::needs_bound(entry_, features);
    auto reserved = way_.services.budgets.reserve(way_.who, record.subject(), at_most(most_prompt_, most_.output),
                                                  most_.input + most_.output);
    if (!reserved) {
        auto error = reserved.error();
        if (bound_ > 0 && most_.output.count > bound_)
            error.message += fmt::format(
                "; {} tokens of answer are reserved where {} were asked for at most, since {} went that far beyond "
                "what it was asked for of late",
                most_.output.count, bound_, candidate_.model);
        return fail(std::move(error));
    }
    reservation_ = std::move(*reserved);
    record.time = reservation_->start().time_since_epoch().count();
    return {};
}

store::Store::Job Attempt::opened() const {
    auto most = record;
    most.usage = most_;
    most.cost = at_most(most_prompt_, most_.output);
    most.source = price_.source();
    // What stays home and costs nothing is on nobody's bill.
    if (candidate_.zone == Zone::local && most.cost == Money{}) return {};
    return [most = std::move(most)](store::Database& database) { return ledger::open(database, most); };
}

bool Attempt::may_say(std::int64_t tokens) {
    // Text is counted in tokens only roughly: a provider that keeps to its bound may seem to be beyond it. What is far
    // beyond it is.
    const auto most = bound_ + bound_ / 2;
    const auto wanted = tokens - bound_ - beyond_;
    if (wanted <= 0) return true;
    if (tokens > most) return false;
    const auto more = std::min(std::max(wanted, bound_ / 8), most - bound_ - beyond_);
    if (!way_.services.budgets.extend(way_.who, *reservation_, at_most({0}, {more}), {more})) return false;
    beyond_ += more;
    return true;
}

// What this candidate is shown of the question, in its words.
Result<> Attempt::choose_question() {
    if (!asked_ && candidate_.redacted) {
        auto redacted = way_.redacted_for(candidate_.zone);
        if (!redacted) return fail(redacted.error());
        sent = std::move(*redacted);
    } else if (!sent && decided_.labelled().of_itself().label > decided_.labelled().of_itself().rest) {
        way_.remember_whole_was_seen();
    }
    return {};
}

net::Task<Result<>> Attempt::convert() {
    auto made = co_await say();
    if (made && fit_is_open()) {
        const auto counted = co_await count_prompt();
        if (counted && !cancel_.fired()) {
            if (auto fits = hold_fit(*counted); !fits) co_return fits;
            prompt_tokens_ = *counted;
            // The room for the answer is all that depends on it.
            if (question().request.max_output_tokens) made = co_await say();
        }
    }
    if (!made) co_return made;
    if (sets_bound_ && at_most(most_.input, most_.output) > Money{}) note_bound();
    for (const auto& warning : conversion_->warnings()) note(warning);
    add_filters();
    co_return made;
}

// The question in the provider's words; a large one is said on the pool.
net::Task<Result<>> Attempt::say() {
    auto make = [this]() -> Result<> {
        const auto choices = std::max<std::int64_t>(1, decided_.inputs().features.choices);
        auto made = translate::Conversion::make(
            question(), provider_, model_,
            {.weighs = better_ != nullptr,
             .answer_bound = sets_bound_ ? bound_ / choices : 0,
             .wants = way_.services.wants.of(provider_.id, model_.name, way_.who.id()),
             .room = way_.history.room,
             .prompt_tokens = prompt_tokens_,
             .plainly = way_.history.plainly == candidate_.model,
             .without_thoughts = way_.history.thoughtless == candidate_.model,
             .correction = way_.history.corrected == candidate_.model ? &way_.history.correction : nullptr,
             .fails_if_wrong_again = others_follow_,
             .thoughts = &way_.gateway.thoughts(),
             .key = way_.who.id(),
             .label = decided_.labelled().of_itself().label,
             .usage_hints = price_.source() == prices::PriceSource::free ? nullptr : &hints_});
        if (!made) return fail(made.error());
        conversion_ = std::move(*made);
        return {};
    };
    if (question().document.source().size() <= kLargeBody) co_return make();
    co_return co_await net::run_on<Result<>>(way_.services.scans, way_.who.id(), make);
}

// Where money is reserved for it. Each attempt's record has its own; the client is told of the first alone, since what
// to do is the same for the others.
void Attempt::note_bound() {
    auto text = fmt::format(
        "{} may answer with {} tokens: no maximum was given, and the key '{}' has a budget or a limit of tokens; "
        "ask for as many as you need (max_tokens), or set policy.answer_bound or policy.unbounded in tandem.yaml",
        candidate_.model, bound_ / std::max<std::int64_t>(1, decided_.inputs().features.choices), way_.who.id());
    if (way_.told_bound())
        notes_.push_back(std::move(text));
    else
        note(std::move(text));
}

// What sees the answer last: the owner's rules for answers, what puts values back, and what makes marks of sources.
void Attempt::add_filters() {
    auto rules = privacy::rules_for(way_.config.privacy.answers, candidate_.zone);
    const bool changes = !rules.empty() || sent || way_.context;
    if (!translate::answers_in_text(way_.question.front.operation) || !changes) return;
    if (!rules.empty() && (way_.request().logprobs || way_.request().top_logprobs))
        note("logprobs were left out: they say the answer in tokens, which privacy.answers cannot look at");
    conversion_->filter_with([this, rules](std::vector<std::unique_ptr<chat::EventFilter>>& list) {
        const auto& asked = question().document;
        if (!rules.empty())
            list.push_back(privacy::guard_filter(*way_.snapshot->detector, way_.config.privacy.detect, rules,
                                                 [&asked] { return privacy::all_text(asked); }));
        if (sent) list.push_back(privacy::restore_filter(sent->stands));
        if (way_.context) list.push_back(chat::cite_filter(way_.context->sources, citing_));
    });
}

upstream::Gate::Asked Attempt::room_asked() const {
    const auto slots = static_cast<std::size_t>(model_.slots);
    return {engine() ? candidate_.model : provider_.id,
            engine() ? slots : provider_.concurrency,
            way_.who.id(),
            way_.keeping.batch,
            way_.deadline.at,
            !queues_};
}

// Its turn at the provider; for an engine, at a slot of the model. Errors: rate_limited, timeout, cancelled.
net::Task<Result<upstream::Gate::Pass>> Attempt::wait_for_room(const upstream::Gate::Asked& asked) {
    struct Patience final : net::Watched {
        std::function<void()> over;
        void on_deadline() override { over(); }
    };
    auto& watchdog = way_.exchange.worker().watchdog();
    auto& gate = way_.services.gate;
    std::shared_ptr<upstream::Gate::Ticket> ticket;
    Patience patience;
    net::Cancel::Hook hook;
    auto pass = co_await net::wait_for<Result<upstream::Gate::Pass>>([&](auto resume) {
        ticket = gate.enter(asked, std::move(resume));
        if (!ticket) return;
        patience.over = [&] {
            gate.give_up(ticket, {Fault::deadline_passed, fmt::format("{} was busy until the deadline", asked.place)});
        };
        patience.deadline = way_.deadline.at;
        watchdog.add(patience);
        cancel_.on_fire(hook, [&] { gate.give_up(ticket, {Fault::client_gone, way_.who_ended()}); });
    });
    if (ticket) watchdog.remove(patience);
    co_return pass;
}

net::Task<Result<>> Attempt::reach() {
    if (!engine()) co_return Result<>{};
    net::Cancel::Hook hook;
    std::uint64_t waiting = 0;
    auto lent = co_await net::wait_for<Result<engine::Lease>>([&](std::function<void(Result<engine::Lease>)> resume) {
        // Whichever comes first; a lease that comes too late is given back as it goes.
        auto once = std::make_shared<std::atomic<bool>>(false);
        auto first = [once, resume = std::move(resume)](Result<engine::Lease> lease) {
            if (!once->exchange(true)) resume(std::move(lease));
        };
        cancel_.on_fire(hook, [this, first] { first(fail(Fault::client_gone, way_.who_ended())); });
        if (!cancel_.fired()) waiting = way_.services.engines.acquire(candidate_.model, way_.deadline.at, first);
    });
    // Its load is for nobody, then.
    if (cancel_.fired()) way_.services.engines.give_up(waiting);
    if (cancel_.fired()) co_return fail(Fault::client_gone, way_.who_ended());
    if (!lent) co_return fail(lent.error());
    lease_ = std::move(*lent);
    endpoint_.base_url = lease_.base_url();
    endpoint_.local = lease_.address();
    endpoint_.api_key = lease_.api_key();
    co_return Result<>{};
}

// A decision that sends something out is recorded with it; one that stays home, at the end.
net::Task<Result<privacy::Clearance>> Attempt::clear(std::string body, store::Store::Job also) {
    privacy::Privacy::Ask ask{
        way_.id,
        candidate_.provider,
        candidate_.model,
        candidate_.zone,
        entry_.clearance,
        candidate_.seen,
        decided_.decision().rule,
        std::move(body),
        std::string(translate::kOperationNames[static_cast<std::size_t>(way_.question.front.operation)])};
    if (sent)
        ask.redacted.emplace(sent->redaction.summary(), sent->redaction.stand_ins, *way_.snapshot->detector,
                             way_.config.privacy.detect);
    ask.headers = client_headers();
    const bool local = candidate_.zone == Zone::local;
    if (local && also) {
        if (auto written = co_await commit(both(way_.pending_records(), std::move(also))); !written)
            co_return fail(written.error());
        also = {};
    }
    auto records = both(local ? way_.pending_memory() : way_.pending_records(), std::move(also));
    co_return co_await net::wait_for<Result<privacy::Clearance>>(
        [&](auto resume) { way_.services.privacy.clear(std::move(ask), std::move(records), std::move(resume)); });
}

net::Task<Result<>> Attempt::commit(store::Store::Job job) {
    co_return co_await net::wait_for<Result<>>(
        [&](auto resume) { way_.services.store.submit(std::move(job), std::move(resume)); });
}

upstream::Call Attempt::call_of() {
    upstream::Call call;
    call.path = conversion_->outgoing().path;
    call.stream = way_.request().stream || (conversion_ && conversion_->gathers());
    return call;
}

// What the client said in headers and this provider may want to know.
std::vector<privacy::ClientHeader> Attempt::client_headers() {
    if (decided_.labelled().betas().empty() || !conversion_) return {};
    const auto kind = kind_of(provider_.kind->speaker);
    const bool known = kind == question().front.kind && translate::made_the_dialect(provider_, kind);
    if (conversion_->same() || known) return {{"anthropic-beta", decided_.labelled().betas()}};
    note(fmt::format("anthropic-beta was left out: {} has no such header", provider_.id));
    return {};
}

// ---- how it ended ----

void Attempt::mark_first_byte() {
    if (record.first_byte_ms < 0) record.first_byte_ms = elapsed_ms();
}

// How long it takes is remembered where a hedge goes by that.
void Attempt::note_pace(bool stream) const {
    if (way_.failure_policy().hedge.quantile > 0) way_.services.pace.note(candidate_.model, stream, elapsed_ms());
}

std::int64_t Attempt::elapsed_ms() const {
    return std::chrono::duration_cast<milliseconds>(way_.services.clock.steady() - started_).count();
}

Usage Attempt::estimate(Tokens output) const {
    const auto& features = decided_.inputs().features;
    const auto prompt = std::max({most_.input.count, features.prompt_tokens, features.all_tokens});
    return {{prompt}, {0}, output, {0}, true};
}

Usage Attempt::unknown() const {
    // Where its work costs nothing, a guess would only spoil the counts.
    const bool costs = price_.known() && at_most({0}, most_.output) > Money{};
    auto usage = estimate(costs ? most_.output : Tokens{});
    if (price_.writes_cost_more(asked_price().time_ms)) usage.cache_write = most_.input;
    return usage;
}

Usage Attempt::usage_of(const std::optional<Usage>& said, Tokens seen, bool is_final) const {
    auto usage = said.value_or(Usage{});
    const auto ours = estimate(seen);
    usage.estimated = !said || !is_final;
    if (usage.input.count == 0 && ours.input.count > 0) {
        usage.input = ours.input;
        usage.estimated = true;
    }
    if ((usage.output.count == 0 || !is_final) && seen > usage.output) {
        usage.output = seen;
        usage.estimated = true;
    }
    return usage;
}

ledger::Used Attempt::usage_of_stream() const {
    return {usage_of(relay_->usage(), relay_->said(), relay_->usage_is_final()), read_usage(relay_->usage_words()),
            relay_->tools()};
}

ledger::Used Attempt::usage_of_whole() const {
    return {usage_of(whole_.usage, whole_.output, whole_.usage_is_last), whole_.said};
}

prices::Reading Attempt::read_usage(std::string_view words) const {
    if (words.empty() || price_.source() == prices::PriceSource::free) return {};
    return prices::read_usage(words, hints_);
}

// Of an answer that could not be used: what it says, else what its text would be.
ledger::Used Attempt::usage_of_body(std::string_view body) const {
    if (streamed_) {
        const auto part = conversion_->part_in(body);
        return {usage_of(part.usage, part.output, false), read_usage(body), prices::tools_in(body)};
    }
    const auto said = conversion_->usage_in(body);
    return {usage_of(said, said ? Tokens{} : std::min(chat::estimate_tokens(body), most_.output), said.has_value()),
            read_usage(body)};
}

// A provider that refuses does nothing, unless it says so. One that was asked and did not answer may have done it all.
Usage Attempt::usage_of_failure(const upstream::Failure& failure) const {
    constexpr int kGatewayTimeout = 504, kOriginTimeout = 524;
    if (failure.status == kGatewayTimeout || failure.status == kOriginTimeout) return unknown();
    if (failure.status == 0) return failure.sent ? unknown() : Usage{};
    const auto said = conversion_->usage_in(failure.body);
    return said ? usage_of(said, {}, true) : Usage{};
}

void Attempt::note(std::string text) {
    way_.tell(text);
    if (std::ranges::find(notes_, text) == notes_.end()) notes_.push_back(std::move(text));
}

// Its record has what is different about this attempt: its own notes, and the request's since the attempt before.
void Attempt::take_notes() {
    std::ranges::move(way_.take_unrecorded(), std::back_inserter(notes_));
    record.warnings = join(notes_, "; ");
}

Money Attempt::at_most(Tokens prompt, Tokens answer) const {
    return price_.at_most(prompt, answer, asked_price()).micros();
}

void Attempt::book(const ledger::Used& used) {
    auto bill = ledger::bill_of(used, price_, asked_price(), hints_, *way_.snapshot->pricing);
    record.usage = bill.usage;
    record.cost = bill.cost;
    record.source = bill.source;
    record.bill = std::move(bill.details);
    std::ranges::move(bill.warnings, std::back_inserter(notes_));
}

void Attempt::settle(const ledger::Used& used, std::string_view outcome, ledger::Reservation& reservation) {
    book(used);
    record.outcome = outcome;
    record.total_ms = elapsed_ms();
    take_notes();
    way_.gateway.overruns().note(candidate_.model, record.usage.output.count, bound_, way_.services.clock.steady());
    reservation.settle(record.cost, record.usage.input + record.usage.output);
    way_.add(record);
}

// Nobody was asked, so it is no failure of its provider.
Next Attempt::skipped(Error error) {
    record.outcome = "skipped";
    return failed(ours(std::move(error), upstream::Remedy::next));
}

Next Attempt::failed(upstream::Failure failure, const ledger::Used& used) {
    const bool was_asked = record.outcome.empty();
    if (was_asked) record.outcome = "failed";
    record.status = failure.status;
    // A provider may quote the prompt in its complaint. What is recorded has no values in it; the client knows them.
    const auto message = way_.recordable(failure.error.message, failure.status);
    record.error = printable(message, 400);
    record.code = failure.error.code.name();
    book(used);
    record.total_ms = elapsed_ms();
    if (reservation_) reservation_->settle(record.cost, used.usage.input + used.usage.output);
    way_.tell_failed(record.model, was_asked, message);
    note_refused_model(failure);
    if (failure.what == config::FailureClass::key && record.status != 0) {
        auto why = about_key();
        // 403 may be about the model alone.
        constexpr int kUnauthorized = 401;
        if (record.status == kUnauthorized) {
            way_.services.health.refused_key(record.provider, used_key_, provider_.api_keys.size(), why);
            if (!way_.services.health.has_key(record.provider)) way_.history.refused_by = record.provider;
        }
        note(std::move(why));
    }
    take_notes();
    way_.add(record);
    log_failure(failure);
    way_.history.failures.emplace_back(record.model, message);
    // A provider that was given less time than its owner gives it has not failed.
    const bool cut_short = failure.what == config::FailureClass::timeout && way_.client_is_late();
    if (failure.provider_unwell && !cut_short) way_.services.health.failed(record.provider, reason_for_all(failure));
    auto& last = way_.history.last;
    last = std::move(failure);
    way_.history.last_asked = *this;
    if (sent) {
        last.error.message = privacy::restored(sent->stands, last.error.message, false);
        last.body = privacy::restored(sent->stands, last.body, true);
    }
    if (last.what == config::FailureClass::context) way_.history.too_long_for = candidate_.context_tokens;
    switch (remedy_of(last)) {
        case upstream::Remedy::retry:
            return Next::retry;
        case upstream::Remedy::next:
            return Next::next_candidate;
        case upstream::Remedy::give_up:
            break;
    }
    return Next::give_up;
}

// What the owner wants for what happened. A call with tools that its provider runs is sent once only.
upstream::Remedy Attempt::remedy_of(upstream::Failure& failure) const {
    if (!failure.what) return failure.remedy;
    const bool at_work = *failure.what == config::FailureClass::timeout ||
                         *failure.what == config::FailureClass::connection ||
                         *failure.what == config::FailureClass::invalid_output;
    if (failure.sent && at_work && conversion_ && conversion_->runs_tools()) {
        failure.error.message += "; it is not asked again, since it runs tools itself and may have done so";
        return failure.remedy = upstream::Remedy::give_up;
    }
    switch (way_.failure_policy().reaction(*failure.what)) {
        case config::Reaction::retry:
            return failure.remedy = upstream::Remedy::retry;
        case config::Reaction::next:
            return failure.remedy = upstream::Remedy::next;
        case config::Reaction::stop:
            break;
    }
    return failure.remedy = upstream::Remedy::give_up;
}

// A 200 that turned out to be none: the client has seen nothing of it.
Next Attempt::unreadable(Error error, const ledger::Used& used) {
    // It is we who have no memory for it, and the provider is well; another answer may be shorter.
    const bool no_room = error.code == ErrorCode::unavailable;
    const auto what = class_of(error);
    const bool later = what == config::FailureClass::rate_limit;
    if (later) pass_.say(upstream::Gate::Verdict::overloaded);
    const bool misspoke = conversion_ && !conversion_->call_notes().wrong.empty();
    const bool asks_again = learns_from(error) || (misspoke && is_told_what_is_wrong());
    error.code = code_for_client(error.code);
    auto failure = ours(std::move(error), upstream::Remedy::retry);
    failure.what = what;
    failure.sent = true;
    failure.provider_unwell = what != config::FailureClass::context && what != config::FailureClass::key && !later &&
                              !no_room && !asks_again && !misspoke;
    failure.status = record.status;
    const auto next = failed(std::move(failure), used);
    way_.history.in_other_words = asks_again;
    if (asks_again) return Next::retry;
    // It was told what was wrong: asked a third time it says no better.
    return misspoke && next == Next::retry ? Next::next_candidate : next;
}

// The owner's rules for answers have stopped it: the provider did its work, and nobody else is asked.
Next Attempt::stopped(Error error, const ledger::Used& used) {
    record.error = error.message;
    record.code = error.code.name();
    way_.history.failures.emplace_back(record.model, error.message);
    settle(used, "stopped");
    way_.history.last = ours(std::move(error), upstream::Remedy::give_up);
    return Next::give_up;
}

// The client has gone, or another one was faster. What was sent is paid for all the same.
Next Attempt::cancelled(bool was_sent) {
    record.error = lost_ ? "another one answered first" : way_.who_ended();
    if (!lost_) record.code = name_of(Fault::client_gone);
    if (was_sent) {
        ledger::Used used = unknown();
        if (relay_ && (answer_ || ready_))
            used = usage_of_stream();
        else if (ready_)
            used = usage_of_whole();
        else if (!body_.empty())
            used = usage_of_body(body_);
        else if (answer_ && streamed_ && way_.request().stream)
            used = estimate({0});
        settle(used, "cancelled");
    } else {
        record.outcome = "cancelled";
        record.total_ms = elapsed_ms();
        take_notes();
        if (reservation_) reservation_->settle({}, {});
        way_.add(record);
    }
    if (!lost_) way_.record_unwatched();
    return Next::done;
}

}  // namespace tandem::gateway
