#include "gateway/attempts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "chat/splice.h"
#include "gateway/standing.h"
#include "net/children.h"
#include "upstream/credit.h"

namespace tandem::gateway {

namespace {

constexpr milliseconds kFirstRetryPause{150};

// Why each model failed first: what came of it later (a breaker that opened) comes of that.
std::vector<std::pair<std::string, std::string>> first_of_each(
    const std::vector<std::pair<std::string, std::string>>& failures) {
    std::vector<std::pair<std::string, std::string>> first;
    for (const auto& failure : failures)
        if (std::ranges::find(first, failure.first, [](const auto& one) { return one.first; }) == first.end())
            first.push_back(failure);
    return first;
}

}  // namespace

net::Task<> Attempts::run() {
    const auto& policy = way_.failure_policy();
    if (policy.timeout.count() > 0 && way_.arrived + policy.timeout < way_.deadline.at)
        way_.deadline = {way_.arrived + policy.timeout, false};
    if (!decided_.last_resort().empty())
        way_.warn(fmt::format("{} {}, but no other may take this request", decided_.last_resort(),
                              services_.health.status(decided_.last_resort()).state == "key refused"
                                  ? "has refused its key"
                                  : "has failed and would be left alone for a while"));
    while (true) {
        const auto warnings = way_.warnings();
        if (co_await try_candidates(policy.attempts)) co_return;
        if (!co_await preparation_.decide_anew(warnings)) break;
    }
    co_await give_up();
}

// One after the other. Whether one of them answered; if not, nobody else is asked.
net::Task<bool> Attempts::try_candidates(int attempts) {
    tries_.assign(decided_.decision().fallback ? decided_.decision().eligible : 1, 0);
    for (std::size_t i = 0; i < tries_.size() && !way_.late(); ++i) {
        if (does_not_fit(i)) continue;
        if (candidates()[i].provider == way_.history.refused_by) {
            way_.pass_over(i, fmt::format("{} refuses its key", way_.history.refused_by));
            continue;
        }
        while (tries_[i] < attempts && !way_.late()) {
            const auto next = co_await attempt(i);
            if (next == Next::done) co_return true;
            if (next == Next::retry && std::exchange(way_.history.in_other_words, false)) {
                --tries_[i];  // it was no try of the model
                continue;
            }
            if (next == Next::give_up || (preparation_.lost_room() && way_.nobody_asked())) co_return false;
            if (next == Next::next_candidate || tries_[i] >= attempts || !decided_.last_resort().empty() ||
                !co_await pause_before_retry(tries_[i], candidates()[i].provider))
                break;
        }
    }
    co_return false;
}

// What did not fit one context does not fit another of the same size.
bool Attempts::does_not_fit(std::size_t i) const {
    const auto context = candidates()[i].context_tokens;
    return way_.history.too_long_for > 0 && context > 0 && context <= way_.history.too_long_for;
}

// One try at a candidate, or, where that takes long and the owner wants it, at the next one too.
net::Task<Next> Attempts::attempt(std::size_t i) {
    ++tries_[i];
    way_.tell_passed_over(i);
    const auto& candidate = candidates()[i];
    if (way_.keeping.begun)
        way_.keeping.begun({way_.id, decided_.inputs().label, candidate.model, candidate.provider, candidate.zone});
    if (const auto& before = way_.history.last_asked.record.model; !before.empty() && before != candidate.model) {
        ++way_.history.fallbacks;
        warn_of_less(before, candidate);
        log::Line(log::Level::info, "fallback")
            .add("decision", way_.id.text())
            .add("from", way_.in_log(before))
            .add("to", way_.in_log(candidate.model));
    }
    if (preparation_.large() && candidate.redacted) {
        // Made here, where nothing else of the request is under way. What is wrong with it the attempt says.
        auto made = co_await net::run_on<Result<>>(services_.scans, way_.who.id(), [this, &candidate]() -> Result<> {
            if (auto redacted = way_.redacted_for(candidate.zone); !redacted) return fail(redacted.error());
            return {};
        });
        (void)made;
    }
    const auto follows = next_untried(i);
    const bool others =
        way_.failure_policy().reaction(config::FailureClass::invalid_output) == config::Reaction::stop ||
        (follows < tries_.size() && !candidates()[follows].last_resort);
    const bool holds = decided_.decision().cascade && candidate.zone == Zone::local && i + 1 < tries_.size();
    Attempt first(way_, decided_, {candidate, holds ? &candidates()[i + 1] : nullptr, true, others});
    const auto delay = holds ? std::nullopt : hedge_after(candidate);
    if (!delay) co_return co_await follow(co_await first.begin(), first, i);

    net::Children children(exchange_.worker());
    std::optional<Next> of_first, of_second;
    children.start(begin_one(first, of_first));
    co_await children.wait(services_.clock.steady() + *delay);
    const auto j = of_first ? tries_.size() : next_untried(i);
    if (j == tries_.size()) {
        while (children.running() > 0) co_await children.wait();
        co_return co_await follow(*of_first, first, i);
    }
    ++tries_[j];
    way_.tell_passed_over(j);
    Attempt second(way_, decided_, {candidates()[j], nullptr, false, others});
    children.start(begin_one(second, of_second));
    const auto over = [](std::optional<Next> next) {
        return next && *next != Next::retry && *next != Next::next_candidate;
    };
    while (children.running() > 0 && !over(of_first) && !over(of_second)) co_await children.wait();
    // Nobody waits for the loser's answer, but for its end.
    const bool second_is_heard = !over(of_first) && over(of_second);
    (second_is_heard ? first : second).lose();
    while (children.running() > 0) co_await children.wait();
    if (second_is_heard) {
        if (*of_second == Next::ready)
            way_.warn(fmt::format("{} had not answered after {} ms, so {} was asked as well and was faster",
                                  candidate.model, delay->count(), candidates()[j].model));
        co_return co_await follow(*of_second, second, j);
    }
    if (*of_first == Next::done) way_.record_unwatched();  // the second one may have ended after it
    co_return co_await follow(*of_first, first, i);
}

// A model that is much worse for this work than the one that failed answers: whoever reads it should know.
void Attempts::warn_of_less(const std::string& failed, const routing::Candidate& candidate) {
    constexpr double kMuch = 0.25;  // of the expected worth
    const auto first = std::ranges::find(candidates(), failed, &routing::Candidate::model);
    if (first == candidates().end()) return;
    const bool worse = first->terms.quality - candidate.terms.quality >= kMuch;
    if (!worse && !candidate.last_resort) return;
    way_.warn(
        fmt::format("{} answers in place of {}, and is expected to be good with {:.2f} at this, not {:.2f}: "
                    "take its answer with care",
                    candidate.model, failed, candidate.terms.quality, first->terms.quality));
}

net::Task<> Attempts::begin_one(Attempt& attempt, std::optional<Next>& next) {
    const auto came = co_await attempt.begin();
    next = came;
}

net::Task<Next> Attempts::follow(Next next, Attempt& attempt, std::size_t i) {
    if (next == Next::ready) next = co_await attempt.give();
    if (next != Next::cut) co_return next;
    co_return co_await go_on_after(attempt, i);
}

// How long to wait for a candidate before another one is asked beside it; nullopt: as long as it takes. Nothing
// that may do something is done twice.
std::optional<milliseconds> Attempts::hedge_after(const routing::Candidate& candidate) const {
    const auto& hedge = way_.failure_policy().hedge;
    if (!hedge.on() || way_.keeping.batch || way_.runs_tools()) return std::nullopt;
    if (hedge.quantile > 0)
        if (const auto usual = services_.pace.quantile(candidate.model, request().stream, hedge.quantile)) return usual;
    if (hedge.after.count() > 0) return hedge.after;
    return std::nullopt;
}

// The next candidate that was never asked; tries_.size() where there is none.
std::size_t Attempts::next_untried(std::size_t i) const {
    for (++i; i < tries_.size(); ++i)
        if (tries_[i] == 0 && !does_not_fit(i)) break;
    return i;
}

// False where waiting makes no sense any more.
net::Task<bool> Attempts::pause_before_retry(int attempt, const std::string& provider) {
    const milliseconds backoff =
        kFirstRetryPause * (1 << std::min(attempt - 1, 5)) + milliseconds(services_.random.next() % 50);
    const auto& last = way_.history.last;
    // Another key of the same provider need not wait.
    const bool other_key = last.rest && services_.health.has_key(provider);
    milliseconds wait = backoff;
    if (other_key)
        wait = milliseconds(0);
    else if (last.retry_after)
        wait = std::max<milliseconds>(backoff, *last.retry_after);
    const auto until = services_.clock.steady() + wait;
    if (wait > way_.failure_policy().longest_wait || until >= way_.deadline.at) co_return false;
    if (wait.count() > 0) co_await net::sleep_until(exchange_.worker(), until, exchange_.cancel());
    co_return !exchange_.cancel().fired();
}

// ---- an answer that broke off ----

// Goes on with it as the owner wants, at this candidate or the next ones; else the client is told.
net::Task<Next> Attempts::go_on_after(Attempt& cut, std::size_t i) {
    const auto& policy = way_.failure_policy();
    const auto& told = cut.relay()->told();
    const bool can = policy.on_cut != config::OnCut::error && request().choices == 1 && told.calls.empty() &&
                     !told.refused && !way_.runs_tools() && !cut.stopped_by_owner();
    if (can) {
        way_.history.before = way_.history.before + cut.record.usage;
        way_.history.part_of_whole = way_.history.part_of_whole || !cut.sent;
    }
    for (; can && i < tries_.size() && !way_.late(); ++i) {
        if (tries_[i] >= policy.attempts || does_not_fit(i)) continue;
        const bool again = policy.on_cut == config::OnCut::restart || told.text.empty();
        auto plan = plan_to_go_on(cut, candidates()[i], again ? std::string() : told.text);
        if (!plan) {
            way_.warn(fmt::format("{} cannot go on with it: {}", candidates()[i].model, plan.error().message));
            continue;
        }
        ++tries_[i];
        const auto note =
            fmt::format("{} broke off; {} {}", cut.record.model, plan->candidate.model,
                        again ? "begins again" : fmt::format("goes on with its {} bytes", told.text.size()));
        way_.warn(note);
        if (way_.stream_type() == "text/event-stream") cut.relay()->remark("tandem: " + note);
        Attempt next(way_, decided_,
                     {plan->candidate, nullptr, true, false, plan->question, plan->sent, cut.relay(),
                      again ? chat::restart_splice(told.text) : chat::continuation_splice(told.text), cut.citing()});
        auto outcome = co_await next.begin();
        if (outcome == Next::ready) outcome = co_await next.give();
        if (outcome == Next::cut) co_return co_await go_on_after(next, i);
        if (outcome == Next::done) co_return outcome;
        if (outcome == Next::give_up) break;
        if (outcome == Next::retry) --i;  // while it has tries left
    }
    co_await cut.break_off();
    co_return Next::done;
}

// What a candidate would be asked, so that it goes on with `text`, or, where that is empty, answers anew. What the
// first model said has the label of what it saw, and detectors look at it before it leaves.
Result<Attempts::GoingOn> Attempts::plan_to_go_on(const Attempt& cut, const routing::Candidate& candidate,
                                                  const std::string& text) {
    const auto& entry = *way_.snapshot->table.find(candidate.model);
    if (text.empty()) return GoingOn{nullptr, nullptr, candidate};
    if (!translate::goes_on(*way_.config.provider(candidate.provider), way_.model_of(candidate)))
        return fail(Fault::invalid,
                    "models of its kind do not go on with an answer; say `prefill: true` where it does");
    auto begun = translate::begun_question(way_.question, text);
    if (!begun) return fail(begun.error());
    privacy::Labelled labelled;
    labelled.recall({decided_.inputs().label, way_.label_of_answer(cut)});
    privacy::label_by_content(*way_.snapshot->detector, (*begun)->document, way_.config.privacy.detect, labelled,
                              preparation_.released_content());
    auto inputs = decided_.inputs();
    inputs.label = labelled.label;
    inputs.rest = labelled.rest;
    inputs.found = static_cast<std::uint8_t>(inputs.found | labelled.found);
    const auto view = routing::view_of(way_.snapshot->table, candidate.zone, inputs);
    if (view.blocked || view.home || view.label > entry.clearance)
        return fail(Fault::label_rose, fmt::format("the answer so far is {}, and {} may not see that",
                                                   name_of(higher(view.label, inputs.label)), candidate.provider));
    GoingOn plan{*begun, nullptr, candidate};
    plan.candidate.seen = view.label;
    plan.candidate.redacted = view.redacted;
    if (!view.redacted) return plan;
    auto redacted = way_.redacted(**begun, candidate.zone);
    if (!redacted) return fail(redacted.error());
    plan.sent = std::move(*redacted);
    return plan;
}

// ---- nobody answered ----

// The client learns why; a provider's own word on a wrong request is handed on as it is.
net::Task<> Attempts::give_up() {
    auto receipt = co_await way_.close_record();
    if (!receipt) {
        co_await way_.refuse(receipt.error());
        co_return;
    }
    way_.tell_passed_over(tries_.size());
    if (way_.history.spare) {
        auto& spare = *way_.history.spare;
        way_.warn(fmt::format("nobody else answered, so this is what {} said", spare.served.record.model));
        if (spare.stream && exchange_.started()) way_.tell_in_stream(spare.served, spare.body);
        co_await way_.give(std::move(*receipt), way_.answer_headers(spare.served, way_.type_of(spare.stream)),
                           std::move(spare.body), spare.stream);
        co_return;
    }
    const auto& last = way_.history.last;
    // Its word on its own state would be read as one on the client: a 401 is about our key there.
    const bool about_request =
        last.what == config::FailureClass::invalid_request || last.what == config::FailureClass::content_filter;
    if (way_.history.own_error && about_request && last.remedy == upstream::Remedy::give_up && last.status >= 400 &&
        !last.body.empty() && !exchange_.started()) {
        net::Response response;
        response.status = last.status;
        response.headers = way_.answer_headers(way_.history.last_asked, "application/json");
        response.headers.add("x-tandem-error", last.error.code.name());
        response.body = last.body;
        co_await exchange_.reply(std::move(response));
        co_return;
    }
    Error error = last.error;
    if (way_.history.failures.size() > 1 && error.code != ErrorCode::context)
        error.message = "no model answered: " + by_reason(first_of_each(way_.history.failures));
    // The owner has to mend the key first; the warnings say where it stands.
    if (way_.history.failures.size() == 1 && last.what == config::FailureClass::key) {
        error.certain = true;
        error.message +=
            fmt::format("; the owner has to {} {}",
                        upstream::lacks_credit(last.status, error.message) ? "add credit at" : "correct the key of",
                        way_.history.last_asked.record.provider);
    }
    if (way_.late()) error.code = Fault::deadline_passed;
    if (error.message.empty()) error.message = "the deadline of the request passed before a model was asked";
    // The trial has failed as well: as before, nobody may take it.
    if (!decided_.last_resort().empty() && last.provider_unwell && !way_.late())
        if (auto still = refusal_now(services_, *way_.snapshot, way_.who, decided_.inputs())) error = std::move(*still);
    co_await way_.refuse(std::move(error), last.retry_after);
}

}  // namespace tandem::gateway
