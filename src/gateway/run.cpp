#include "gateway/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "chat/answer.h"
#include "chat/estimate.h"
#include "chat/splice.h"
#include "gateway/ask.h"
#include "gateway/attempt.h"
#include "gateway/count.h"
#include "gateway/standing.h"
#include "gateway/weight.h"
#include "net/children.h"
#include "translate/betas.h"

namespace tandem::gateway {

namespace {

constexpr milliseconds kFirstRetryPause{150};

static_assert(dialect::kKindNames == config::kDialectNames, "keys name dialects as clients' settings do");

// The parts of a label that need no detector.
privacy::Labelled label_by_source(const access::Principal& who, const std::string& alias, Label asked,
                                  const privacy::LabelMemory::Recalled& remembered) {
    privacy::Labelled labelled;
    labelled.raise(who.label, fmt::format("key {}", who.id()));
    if (alias == "private") labelled.raise(Label::private_, "alias private");
    labelled.raise(asked, "header x-tandem-label");
    labelled.recall(remembered.known, remembered.why);
    return labelled;
}

// Where the key has a budget or a limit of tokens, every answer has a bound: what the client says, or the owner's.
void bound_answer(bool is_bound, const config::Policy& policy, const chat::Request& request,
                  routing::Features& features) {
    if (!is_bound) return;
    // Thoughts that the client wants count too, and providers refuse a bound that leaves no room behind them.
    features.bound_tokens =
        saturating_sum(policy.answer_bound, std::max<std::int64_t>(0, request.thinking.budget_tokens.value_or(0)));
    features.reserves_most = policy.unbounded == config::Unbounded::reserve;
}

// What a key's full memory makes of all its requests. Last, so that it is not remembered of what they hold: that would
// label the same words of others.
void label_by_floor(const privacy::LabelMemory::Recalled& remembered, privacy::Labelled& labelled) {
    labelled.raise(remembered.floor.label, "the label memory of this key is full");
}

routing::Inputs inputs_of(const access::Principal& who, const chat::Request& request, privacy::Labelled labelled,
                          const access::RequestHeaders& asked, int repeats) {
    routing::Inputs inputs;
    inputs.alias = request.model;
    inputs.key = who.id();
    inputs.workflow = asked.workflow;
    inputs.label = labelled.label;
    inputs.rest = labelled.rest;
    inputs.found = labelled.found;
    inputs.label_reasons = std::move(labelled.reasons);
    inputs.stakes = who.high_value ? config::Stakes::high : asked.stakes;
    inputs.features = routing::features_of(request);
    inputs.features.repeats = repeats;
    return inputs;
}

// Why each model failed first: what came of it later (a breaker that opened) comes of that.
std::vector<std::pair<std::string, std::string>> first_of_each(
    const std::vector<std::pair<std::string, std::string>>& failures) {
    std::vector<std::pair<std::string, std::string>> first;
    for (const auto& failure : failures)
        if (std::ranges::find(first, failure.first, [](const auto& one) { return one.first; }) == first.end())
            first.push_back(failure);
    return first;
}

class Run {
  public:
    Run(Gateway& gateway, Call call, translate::Front front, Keeping keeping)
        : way_(gateway, std::move(call), front, std::move(keeping)),
          services_(way_.services),
          exchange_(way_.exchange) {}

    net::Task<> run() {
        auto ready = co_await prepare();
        if (!ready) {
            co_await way_.refuse(ready.error());
            co_return;
        }
        if (way_.question.front.operation == translate::Operation::count) {
            co_await count_tokens(way_);
            co_return;
        }
        if (way_.decision->eligible == 0) {
            auto recorded = co_await way_.close_record();
            co_await way_.refuse(recorded
                                     ? refusal_of(services_, *way_.snapshot, way_.who, *way_.inputs, *way_.decision)
                                     : recorded.error());
            co_return;
        }
        if (const auto known = cached()) {
            co_await give_again(*known, "hit");
            co_return;
        }
        if (!way_.same_request.empty() && !way_.config.cache.similar.empty()) {
            const auto near = co_await similar();
            if (near.answer) {
                way_.warn("this is the answer to a question that means nearly the same");
                co_await give_again(*near.answer, fmt::format("similar; nearness={:.3f}", near.nearness));
                co_return;
            }
        }
        // Whoever reads or thinks for long leaves its client without a sign of life.
        way_.begin_pulse();
        std::exception_ptr thrown;
        try {
            co_await attempt_all();
        } catch (...) {
            thrown = std::current_exception();
        }
        co_await way_.pulse.rest();
        if (thrown) std::rethrow_exception(thrown);
    }

  private:
    // ---- authenticate (done by the gateway), label, decide ----

    net::Task<Result<>> prepare() {
        if (!way_.admission) {
            auto admission = services_.budgets.admit(way_.who);
            if (!admission) co_return fail(admission.error());
            way_.admission = std::make_shared<const ledger::Admission>(std::move(*admission));
        }
        const auto size = exchange_.request().body.size();
        const auto weight = weight_of(exchange_.request().body);
        auto memory = services_.memory.take(MemoryKind::document, way_.who.id(), weight, is_small(weight));
        if (!memory) co_return fail(memory.error());
        way_.memory = std::move(*memory);
        Result<> read;
        large_ = size > kLargeBody;
        if (!large_) {
            read = decode_and_detect();
        } else {
            read =
                co_await net::run_on<Result<>>(services_.scans, way_.who.id(), [this] { return decode_and_detect(); });
        }
        if (!read) co_return read;
        auto named = services_.budgets.admit_alias(request().model);
        if (!named) co_return fail(named.error());
        way_.alias_admission = std::move(*named);
        if (!way_.config.policy.objective.embedding.empty()) co_await look_at_meaning();
        if (auto ok = co_await away_if_large([this] { return decide(); }); !ok) co_return ok;
        if (auto ok = co_await wait_for_budget(); !ok) co_return ok;
        co_return co_await away_if_large([this] { return note_label(); });
    }

    // On the pool where the body is large, so that nobody else waits for it.
    net::Task<Result<>> away_if_large(std::function<Result<>()> work) {
        if (!large_) co_return work();
        co_return co_await net::run_on<Result<>>(services_.scans, way_.who.id(), std::move(work));
    }

    Result<> decode_and_detect() {
        auto& question = way_.question;
        // The document keeps the body itself; nobody else has a copy of it.
        if (auto ok = question.document.take(std::move(exchange_.request().body)); !ok) return ok;
        if (auto ok = decode(question); !ok) return ok;
        const auto& who = way_.who;
        if (const auto speaks = dialect::name_of(question.front.kind); !who.may_speak(speaks))
            return fail(ErrorCode::forbidden,
                        fmt::format("the key '{}' may speak {}, and this is {}; the owner sets `dialects` of the key",
                                    who.id(), join(who.dialects, ", "), speaks));
        way_.look_up_name();
        if (!routing::may_use(who, way_.snapshot->table, request().model))
            return fail(ErrorCode::forbidden,
                        fmt::format("the key '{}' may not use '{}'{}", who.id(), printable(request().model, 80),
                                    suggest(request().model, who.aliases)),
                        "model");
        auto& memory = services_.privacy.memory();
        if (!memory.empty()) way_.identify();
        recalled_ = memory.recall(way_.identity, who.id());
        labelled_ = label_by_source(who, way_.alias(), way_.asked.label, recalled_);
        labelled_.raise(way_.keeping.label, way_.keeping.label_reason);
        privacy::label_by_content(*way_.snapshot->detector, question.document, way_.config.privacy.detect, labelled_,
                                  released_content());
        read_betas();
        way_.of_itself = {labelled_.label, labelled_.rest};
        label_by_floor(recalled_, labelled_);
        if (who.most && labelled_.label > *who.most)
            return fail(
                ErrorCode::forbidden,
                fmt::format("this is {} ({}), and the key '{}' may send what is {} at most; the owner sets "
                            "`most` of the key",
                            name_of(labelled_.label),
                            labelled_.reasons.empty() ? std::string("by its source") : labelled_.reasons.front(),
                            who.id(), name_of(*who.most)));
        if (way_.of_itself.label == Label::public_ && !way_.identity.prefixes.empty())
            memory.note_public(way_.identity, who.id());
        return {};
    }

    privacy::ReleasedContent released_content() const { return {services_.privacy.vault().keys(), recalled_.released}; }

    // What a client of Anthropic's dialect asks for in a header leaves beside the body, so detectors look at it as
    // well.
    void read_betas() {
        if (way_.question.front.kind != dialect::Kind::anthropic) return;
        auto betas = translate::betas_of(exchange_.request().headers);
        if (betas.said.empty()) return;
        privacy::label_by_header(*way_.snapshot->detector, betas.said, way_.config.privacy.detect, labelled_);
        if (betas.left_out > 0)
            way_.warn(
                fmt::format("anthropic-beta: {} values were left out, since no beta has such a name: words and a "
                            "date, and at most {}",
                            betas.left_out, translate::kMostBetas));
        way_.betas = std::move(betas.known);
    }

    Result<> decide() {
        way_.id = way_.keeping.decision.text().empty() ? DecisionId::make(services_.clock, services_.random)
                                                       : way_.keeping.decision;
        leaves_ = std::move(labelled_.leaves);
        auto inputs =
            inputs_of(way_.who, request(), std::move(labelled_), way_.asked, services_.repeats.count(request()));
        need(inputs.features);
        inputs.features.price = prices::asked_in(way_.question.document.root(), unix_ms(services_.clock.wall()));
        if (translate::answers_in_text(way_.question.front.operation))
            bound_answer(services_.budgets.bind(way_.who), way_.config.policy, request(), inputs.features);
        const bool text = translate::answers_in_text(way_.question.front.operation);
        if (way_.config.policy.objective.learn && text) {
            way_.place = services_.learning.place(
                request(), way_.who.id(), !way_.keeping.aside,
                routing::is_choice(way_.snapshot->table, request().model), inputs.features.work.kind,
                routing::expectations(way_.snapshot->table, inputs.features), std::move(meaning_));
            inputs.outlook = way_.place.outlook;
            inputs.usual = way_.place.usual;
            // Nothing of what is secret is kept, not even which words it has.
            if (inputs.label == Label::secret) way_.place.learns = false;
        }
        if (services_.trials.any() && !way_.keeping.aside && !way_.keeping.batch && text)
            inputs.assigned = services_.trials.assign(way_.alias(), way_.who.id() + "\n" + way_.conversation_name());
        if (way_.snapshot->table.objective.explore > 0)
            inputs.dice = static_cast<double>(services_.random.next() % 1'000'000) / 1e6;
        return choose(std::move(inputs));
    }

    Result<> choose(routing::Inputs inputs) {
        inputs.standing = standing_of(services_, *way_.snapshot, way_.who, inputs, way_.named);
        auto decided = decide_now(services_, *way_.snapshot, way_.named, inputs);
        if (!decided) return fail(decided.error());
        queued_ = decided->queued;
        way_.inputs = std::make_shared<const routing::Inputs>(std::move(inputs));
        way_.decision = std::make_shared<const routing::Decision>(std::move(decided->decision));
        way_.last_resort = std::move(decided->last_resort);
        way_.passed_over = passed_over(way_.snapshot->table, *way_.inputs, *way_.decision);
        return {};
    }

    // Until the budget that wants it to wait has room, or there is no point in waiting any longer.
    net::Task<Result<>> wait_for_budget() {
        constexpr milliseconds kLookAgain{1'000};  // a window may end without an event
        const auto begun = services_.clock.steady();
        waits_ = waits_ || queued_;
        while (queued_) {
            const auto seen = services_.budgets.settled().count();
            const auto error = refusal_of(services_, *way_.snapshot, way_.who, *way_.inputs, *way_.decision);
            const auto now = services_.clock.steady();
            const seconds wait(error.again_in.value_or(0));
            const bool in_time = wait <= seconds(ledger::Budgets::kGuess) || now + wait < way_.deadline;
            if (error.certain || way_.late() || !in_time) break;
            // What ends when a window does would hold the stop up.
            if (services_.stopping)
                co_return fail(ErrorCode::unavailable, "the server is stopping; ask again when it is back");
            co_await services_.budgets.settled().wait(seen, exchange_.worker().context(), kLookAgain,
                                                      exchange_.cancel());
            if (exchange_.cancel().fired()) break;
            if (auto ok = choose(*way_.inputs); !ok) co_return ok;
        }
        const auto waited = std::chrono::duration_cast<milliseconds>(services_.clock.steady() - begun);
        if (waited >= milliseconds(100)) way_.warn(fmt::format("it waited {} ms for room in a budget", waited.count()));
        co_return Result<>{};
    }

    // Another request took the room that there was when this one was decided on, and nobody was asked: it is decided on
    // anew, without the warnings behind the first so many, and waits again where its budget wants that. Whether
    // somebody may take it.
    net::Task<bool> decide_anew(std::size_t warnings) {
        constexpr milliseconds kAfterRace{50};  // so that those who were woken together do not all try again at once
        if (!lost_room() || way_.late() || !way_.forget_skipped()) co_return false;
        ++races_;
        way_.warnings.resize(warnings);
        if (waits_) co_await net::sleep_for(exchange_.worker().context(), kAfterRace, exchange_.cancel());
        if (exchange_.cancel().fired() || !choose(*way_.inputs)) co_return false;
        if (auto ok = co_await wait_for_budget(); !ok) co_return false;
        if (way_.decision->eligible == 0)
            way_.last.error = refusal_of(services_, *way_.snapshot, way_.who, *way_.inputs, *way_.decision);
        co_return way_.decision->eligible > 0;
    }

    // The last attempt had no room in a budget, and it may be decided on anew.
    bool lost_room() const {
        constexpr int kMostRaces = 3;  // of a request that does not wait
        const auto& error = way_.last.error;
        return error.code == ErrorCode::over_budget && !error.certain && (waits_ || races_ < kMostRaces);
    }

    Result<> note_label() {
        if (way_.inputs->label > Label::public_) way_.identify();
        way_.remember(services_.privacy.memory().remember(way_.identity, way_.of_itself,
                                                          {.key = way_.who.id(),
                                                           .decision = way_.id.text(),
                                                           .response = way_.keeping.id,
                                                           .from = way_.keeping.from,
                                                           .leaves = std::move(leaves_),
                                                           .refused = way_.decision->eligible == 0}));
        return {};
    }

    // What a model must have for other work than to answer.
    void need(routing::Features& features) const {
        const auto operation = way_.question.front.operation;
        if (operation != translate::Operation::embed && operation != translate::Operation::rerank) return;
        features.needs = {};
        features.needs.add(operation == translate::Operation::embed ? config::Capability::embeddings
                                                                    : config::Capability::rerank);
        features.answer_tokens = 1;
        features.choices = 1;
        // The texts are looked at one by one: the longest must fit, and all of them are paid. Reranking reads the
        // query, which is the last of them, with each.
        constexpr std::int64_t kFrame = 4;  // of each text, at most
        const auto count = static_cast<std::int64_t>(request().messages.size());
        std::int64_t longest = 0, last = 0, all = 0, most = 0, last_most = 0;
        for (const auto& message : request().messages) {
            const auto text = chat::text_of(message.parts);
            last = chat::estimate_tokens(text).count;
            last_most = chat::most_tokens(text).count + kFrame;
            longest = std::max(longest, last);
            all = saturating_sum(all, last);
            most = saturating_sum(most, last_most);
        }
        if (operation == translate::Operation::rerank) {
            all = saturating_sum(all, last * count);
            most = saturating_sum(most, last_most * count);
        }
        features.prompt_tokens = longest;
        features.all_tokens = all;
        features.most_tokens = most;
    }

    // ---- what the last turn means ----

    // Made once for each model. The part of Tandem that asks pays for it, and is named in the ledger.
    net::Task<Result<std::vector<float>>> embed(const std::string& model, access::Part part, Label label) {
        if (embedded_by_ == model) co_return embedded_;
        const auto who = access::Principal::internal(part);
        auto vector = co_await gateway::embed(
            way_.gateway, exchange_.worker(), who, model,
            {chat::last_user_text(request()), label, fmt::format("a question for the {}", who.id())},
            exchange_.cancel());
        if (!vector) co_return vector;
        embedded_by_ = model;
        embedded_ = *vector;
        co_return vector;
    }
    // For those who choose between models by what they have learned. Without it, they go by its words.
    net::Task<> look_at_meaning() {
        const auto& objective = way_.config.policy.objective;
        if (!translate::answers_in_text(way_.question.front.operation) || !objective.learn || way_.keeping.aside ||
            labelled_.label == Label::secret || !routing::is_choice(way_.snapshot->table, request().model) ||
            trim(chat::last_user_text(request())).empty())
            co_return;
        const auto vector = co_await embed(objective.embedding, access::Part::learning, labelled_.label);
        if (vector)
            meaning_ = learning::meaning_of(*vector);
        else
            way_.warn("what it means was not looked at: " + vector.error().message);
    }

    // ---- answers that were given before ----

    // What makes it the same request; empty where its answer is not to be kept, or is asked for anew.
    std::string same_request() const {
        const bool text = translate::answers_in_text(way_.question.front.operation);
        if (way_.config.cache.ttl.count() == 0 || !text || way_.keeping.keep || way_.inputs->label == Label::secret ||
            way_.asked.fresh)
            return {};
        // The table is part of it: another policy may want another model.
        return hex(sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", way_.snapshot->table_id, way_.who.id(),
                                      way_.question.path, way_.question.array, name_of(way_.inputs->label),
                                      way_.asked.conversation, way_.question.document.source())));
    }
    std::shared_ptr<const cache::AnswerCache::Answer> cached() {
        way_.same_request = same_request();
        if (way_.same_request.empty()) return nullptr;
        return services_.cache.find(way_.same_request, services_.clock.steady(), way_.config.cache.ttl);
    }
    // An answer to a question that means nearly the same, in a request that is the same otherwise. Nothing where the
    // embedding is not to be had, or may not be made of such content.
    net::Task<cache::AnswerCache::Similar> similar() {
        const auto rest = cache::rest_of(request());
        if (rest.empty()) co_return cache::AnswerCache::Similar{};
        const auto text = chat::last_user_text(request());
        auto vector = co_await embed(way_.config.cache.similar, access::Part::cache, way_.inputs->label);
        if (!vector) {
            way_.warn("the cache was not asked for similar questions: " + vector.error().message);
            co_return cache::AnswerCache::Similar{};
        }
        way_.meaning = {hex(sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", way_.snapshot->table_id, way_.who.id(),
                                               way_.question.path, way_.question.array, name_of(way_.inputs->label),
                                               way_.asked.conversation, rest))),
                        cache::facts_of(text), std::move(*vector)};
        co_return services_.cache.find_similar(way_.meaning, way_.config.cache.at_least, services_.clock.steady(),
                                               way_.config.cache.ttl);
    }

    net::Task<> give_again(const cache::AnswerCache::Answer& known, std::string_view how) {
        const auto age = services_.clock.steady() - known.made;
        Served served{way_.new_attempt(known.provider, known.model, known.zone), {}};
        served.record.outcome = "cached";
        served.record.warnings = join(std::exchange(way_.unrecorded, {}), "; ");
        way_.add(served.record);
        auto receipt = co_await way_.close_record();
        if (!receipt) {
            co_await way_.refuse(receipt.error());
            co_return;
        }
        auto headers = way_.answer_headers(served, known.type);
        headers.add("x-tandem-cache", fmt::format("{}; age={}", how, std::chrono::duration_cast<seconds>(age).count()));
        co_await way_.give(std::move(*receipt), std::move(headers), known.body, known.stream);
    }

    // ---- attempt ----

    const std::vector<routing::Candidate>& candidates() const { return way_.decision->candidates; }

    net::Task<> attempt_all() {
        const auto& policy = way_.failure_policy();
        auto& deadline = way_.deadline;
        if (policy.timeout.count() > 0 && way_.arrived + policy.timeout < deadline) {
            deadline = way_.arrived + policy.timeout;
            way_.deadline_is_clients = false;
        }
        if (!way_.last_resort.empty())
            way_.warn(fmt::format("{} {}, but no other may take this request", way_.last_resort,
                                  services_.health.status(way_.last_resort).state == "key refused"
                                      ? "has refused its key"
                                      : "has failed and would be left alone for a while"));
        while (true) {
            const auto warnings = way_.warnings.size();
            if (co_await try_candidates(policy.attempts)) co_return;
            if (!co_await decide_anew(warnings)) break;
        }
        co_await give_up();
    }

    // One after the other. Whether one of them answered; if not, nobody else is asked.
    net::Task<bool> try_candidates(int attempts) {
        tries_.assign(way_.decision->fallback ? way_.decision->eligible : 1, 0);
        for (std::size_t i = 0; i < tries_.size() && !way_.late(); ++i) {
            if (does_not_fit(i)) continue;
            if (candidates()[i].provider == way_.refused_by) {
                way_.pass_over(i, fmt::format("{} refuses its key", way_.refused_by));
                continue;
            }
            while (tries_[i] < attempts && !way_.late()) {
                const auto next = co_await attempt(i);
                if (next == Next::done) co_return true;
                if (next == Next::retry && std::exchange(way_.in_other_words, false)) {
                    --tries_[i];  // it was no try of the model
                    continue;
                }
                if (next == Next::give_up || (lost_room() && way_.nobody_asked())) co_return false;
                if (next == Next::next_candidate || tries_[i] >= attempts || !way_.last_resort.empty() ||
                    !co_await pause_before_retry(tries_[i], candidates()[i].provider))
                    break;
            }
        }
        co_return false;
    }

    // What did not fit one context does not fit another of the same size.
    bool does_not_fit(std::size_t i) const {
        const auto context = candidates()[i].context_tokens;
        return way_.too_long_for > 0 && context > 0 && context <= way_.too_long_for;
    }

    // One try at a candidate, or, where that takes long and the owner wants it, at the next one too.
    net::Task<Next> attempt(std::size_t i) {
        ++tries_[i];
        way_.tell_passed_over(i);
        const auto& candidate = candidates()[i];
        if (way_.keeping.begun)
            way_.keeping.begun({way_.id, way_.inputs->label, candidate.model, candidate.provider, candidate.zone});
        if (const auto& before = way_.last_asked.record.model; !before.empty() && before != candidate.model) {
            ++way_.fallbacks;
            warn_of_less(before, candidate);
            log::Line(log::Level::info, "fallback")
                .add("decision", way_.id.text())
                .add("from", way_.in_log(before))
                .add("to", way_.in_log(candidate.model));
        }
        if (large_ && candidate.redacted) {
            // Made here, where nothing else of the request is under way. What is wrong with it the attempt says.
            auto made =
                co_await net::run_on<Result<>>(services_.scans, way_.who.id(), [this, &candidate]() -> Result<> {
                    if (auto redacted = way_.redacted_for(candidate.zone); !redacted) return fail(redacted.error());
                    return {};
                });
            (void)made;
        }
        Attempt first(way_, candidate);
        const bool holds = way_.decision->cascade && candidate.zone == Zone::local && i + 1 < tries_.size();
        if (holds) first.hold(candidates()[i + 1]);
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
        Attempt second(way_, candidates()[j]);
        second.do_not_queue();
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
    void warn_of_less(const std::string& failed, const routing::Candidate& candidate) {
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

    static net::Task<> begin_one(Attempt& attempt, std::optional<Next>& next) {
        const auto came = co_await attempt.begin();
        next = came;
    }

    net::Task<Next> follow(Next next, Attempt& attempt, std::size_t i) {
        if (next == Next::ready) next = co_await attempt.give();
        if (next != Next::cut) co_return next;
        co_return co_await go_on_after(attempt, i);
    }

    // How long to wait for a candidate before another one is asked beside it; nullopt: as long as it takes. Nothing
    // that may do something is done twice.
    std::optional<milliseconds> hedge_after(const routing::Candidate& candidate) const {
        const auto& hedge = way_.failure_policy().hedge;
        if (!hedge.on() || way_.keeping.batch || way_.runs_tools()) return std::nullopt;
        if (hedge.quantile > 0)
            if (const auto usual = services_.pace.quantile(candidate.model, request().stream, hedge.quantile))
                return usual;
        if (hedge.after.count() > 0) return hedge.after;
        return std::nullopt;
    }

    // The next candidate that was never asked; tries_.size() where there is none.
    std::size_t next_untried(std::size_t i) const {
        for (++i; i < tries_.size(); ++i)
            if (tries_[i] == 0 && !does_not_fit(i)) break;
        return i;
    }

    // False where waiting makes no sense any more.
    net::Task<bool> pause_before_retry(int attempt, const std::string& provider) {
        const milliseconds backoff =
            kFirstRetryPause * (1 << std::min(attempt - 1, 5)) + milliseconds(services_.random.next() % 50);
        const auto& last = way_.last;
        // Another key of the same provider need not wait.
        const bool other_key = last.rest && services_.health.has_key(provider);
        milliseconds wait = backoff;
        if (other_key)
            wait = milliseconds(0);
        else if (last.retry_after)
            wait = std::max<milliseconds>(backoff, *last.retry_after);
        const auto until = services_.clock.steady() + wait;
        if (wait > way_.failure_policy().longest_wait || until >= way_.deadline) co_return false;
        if (wait.count() > 0) co_await net::sleep_until(exchange_.worker(), until, exchange_.cancel());
        co_return !exchange_.cancel().fired();
    }

    // ---- an answer that broke off ----

    // Goes on with it as the owner wants, at this candidate or the next ones; else the client is told.
    net::Task<Next> go_on_after(Attempt& cut, std::size_t i) {
        const auto& policy = way_.failure_policy();
        const auto& told = cut.relay()->told();
        const bool can = policy.on_cut != config::OnCut::error && request().choices == 1 && told.calls.empty() &&
                         !told.refused && !way_.runs_tools() && !cut.stopped_by_owner();
        if (can) {
            way_.before = way_.before + cut.record.usage;
            way_.part_of_whole = way_.part_of_whole || !cut.sent;
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
            Attempt next(way_, plan->candidate);
            const auto note =
                fmt::format("{} broke off; {} {}", cut.record.model, plan->candidate.model,
                            again ? "begins again" : fmt::format("goes on with its {} bytes", told.text.size()));
            way_.warn(note);
            if (way_.stream_type() == "text/event-stream") cut.relay()->remark("tandem: " + note);
            next.go_on(plan->question, plan->sent, cut.take_relay(),
                       again ? chat::restart_splice(told.text) : chat::continuation_splice(told.text));
            auto outcome = co_await next.begin();
            if (outcome == Next::ready) outcome = co_await next.give();
            if (outcome == Next::cut) co_return co_await go_on_after(next, i);
            if (outcome == Next::done) co_return outcome;
            cut.take_back(next.take_relay());
            if (outcome == Next::give_up) break;
            if (outcome == Next::retry) --i;  // while it has tries left
        }
        co_await cut.break_off();
        co_return Next::done;
    }

    struct Plan {
        std::shared_ptr<const translate::Question> question;  // none: the client's own
        std::shared_ptr<const Redacted> sent;
        routing::Candidate candidate;
    };
    // What a candidate would be asked, so that it goes on with `text`, or, where that is empty, answers anew. What the
    // first model said has the label of what it saw, and detectors look at it before it leaves.
    Result<Plan> plan_to_go_on(const Attempt& cut, const routing::Candidate& candidate, const std::string& text) {
        const auto& entry = *way_.snapshot->table.find(candidate.model);
        if (text.empty()) return Plan{nullptr, nullptr, candidate};
        if (!translate::goes_on(*way_.config.provider(candidate.provider), way_.model_of(candidate)))
            return fail(ErrorCode::invalid,
                        "models of its kind do not go on with an answer; say `prefill: true` where it does");
        auto begun = translate::begun_question(way_.question, text);
        if (!begun) return fail(begun.error());
        privacy::Labelled labelled;
        labelled.recall({way_.inputs->label, way_.label_of_answer(cut)});
        privacy::label_by_content(*way_.snapshot->detector, (*begun)->document, way_.config.privacy.detect, labelled,
                                  released_content());
        auto inputs = *way_.inputs;
        inputs.label = labelled.label;
        inputs.rest = labelled.rest;
        inputs.found = static_cast<std::uint8_t>(inputs.found | labelled.found);
        const auto view = routing::view_of(way_.snapshot->table, candidate.zone, inputs);
        if (view.blocked || view.home || view.label > entry.clearance)
            return fail(ErrorCode::policy, fmt::format("what was said is {}, and may not be seen there",
                                                       name_of(higher(view.label, inputs.label))));
        Plan plan{*begun, nullptr, candidate};
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
    net::Task<> give_up() {
        auto receipt = co_await way_.close_record();
        if (!receipt) {
            co_await way_.refuse(receipt.error());
            co_return;
        }
        way_.tell_passed_over(tries_.size());
        if (way_.spare) {
            auto& spare = *way_.spare;
            way_.warn(fmt::format("nobody else answered, so this is what {} said", spare.served.record.model));
            if (spare.stream && exchange_.started()) way_.tell_in_stream(spare.served, spare.body);
            co_await way_.give(std::move(*receipt), way_.answer_headers(spare.served, way_.type_of(spare.stream)),
                               std::move(spare.body), spare.stream);
            co_return;
        }
        const auto& last = way_.last;
        // Its word on its own state would be read as one on the client: a 401 is about our key there.
        const bool about_request =
            last.what == config::FailureClass::invalid_request || last.what == config::FailureClass::content_filter;
        if (way_.own_error && about_request && last.remedy == upstream::Remedy::give_up && last.status >= 400 &&
            !last.body.empty() && !exchange_.started()) {
            net::Response response;
            response.status = last.status;
            response.headers = way_.answer_headers(way_.last_asked, "application/json");
            response.body = last.body;
            co_await exchange_.reply(std::move(response));
            co_return;
        }
        Error error = last.error;
        if (way_.failures.size() > 1 && error.code != ErrorCode::context)
            error.message = "no model answered: " + by_reason(first_of_each(way_.failures));
        // The owner has to mend the key first; the warnings say where it stands.
        if (way_.failures.size() == 1 && last.what == config::FailureClass::key) {
            error.certain = true;
            error.message += fmt::format("; the owner has to correct the key of {}", way_.last_asked.record.provider);
        }
        if (way_.late()) error.code = ErrorCode::timeout;
        if (error.message.empty()) error.message = "the deadline of the request passed before a model was asked";
        // The trial has failed as well: as before, nobody may take it.
        if (!way_.last_resort.empty() && last.provider_unwell && !way_.late())
            if (auto still = refusal_now(services_, *way_.snapshot, way_.who, *way_.inputs)) error = std::move(*still);
        co_await way_.refuse(std::move(error), last.retry_after);
    }

    const chat::Request& request() const { return way_.request(); }

    Way way_;
    Services& services_;
    net::Exchange& exchange_;
    privacy::LabelMemory::Recalled recalled_;
    bool large_ = false;   // what takes its time is done on the pool
    bool queued_ = false;  // nothing may take it now, and a budget wants it to wait
    bool waits_ = false;   // it was so once
    int races_ = 0;        // for room in a budget, that were lost
    privacy::Labelled labelled_;
    std::vector<std::int64_t> leaves_;  // of it, for the label memory
    std::string embedded_by_;
    std::vector<float> embedded_;
    learning::Meaning meaning_;
    std::vector<int> tries_;  // of each candidate
};

}  // namespace

void add_origin(const Origin& origin, net::Fields& headers) {
    headers.add("x-tandem-decision", origin.decision.text());
    headers.add("x-tandem-label", name_of(origin.label));
    if (origin.model.empty()) return;
    headers.add("x-tandem-model", origin.model);
    headers.add("x-tandem-provider", origin.provider);
    headers.add("x-tandem-zone", name_of(origin.zone));
}

Result<Origin> origin_of(store::Database& database, const std::string& decision) {
    const auto attempts = ledger::attempts_of(database, decision);
    if (!attempts) return fail(attempts.error());
    Origin origin{DecisionId::from_text(decision), Label::public_, {}, {}, Zone::local};
    for (const auto& attempt : *attempts) {
        if (attempt.outcome == "skipped") continue;
        origin.model = attempt.model;
        origin.provider = attempt.provider;
        origin.zone = attempt.zone;
        if (attempt.outcome == "answered") break;
    }
    return origin;
}

net::Task<> answer_question(Gateway& gateway, Call call, translate::Front front, Keeping keeping) {
    Run run(gateway, std::move(call), front, std::move(keeping));
    co_await run.run();
}

DryRun decide_only(const Snapshot& snapshot, Services* services, const access::Principal& who,
                   const json::Document& document, const chat::Request& request, const access::RequestHeaders& asked) {
    privacy::LabelMemory::Recalled remembered;
    privacy::ReleasedContent content;
    if (services != nullptr) {
        remembered = services->privacy.memory().recall(privacy::identify(request, ""), who.id());
        content = {services->privacy.vault().keys(), remembered.released};
    }
    const auto known = routing::named(snapshot.table, request.model);
    auto labelled = label_by_source(who, known ? known->means : request.model, asked.label, remembered);
    privacy::label_by_content(*snapshot.detector, document, snapshot.config->privacy.detect, labelled, content);
    label_by_floor(remembered, labelled);
    auto inputs = inputs_of(who, request, std::move(labelled), asked, 0);
    if (services != nullptr)
        bound_answer(services->budgets.bind(who), snapshot.config->policy, request, inputs.features);
    const auto now = services != nullptr ? unix_ms(services->clock.wall()) : unix_ms(system_clock()->wall());
    inputs.features.price = prices::asked_in(document.root(), now);
    if (services != nullptr) {
        inputs.standing = standing_of(*services, snapshot, who, inputs, known.value_or(routing::Named{}));
        if (snapshot.config->policy.objective.learn) {
            auto place = services->learning.place(
                request, who.id(), false, routing::is_choice(snapshot.table, request.model), inputs.features.work.kind,
                routing::expectations(snapshot.table, inputs.features));
            inputs.outlook = std::move(place.outlook);
            inputs.usual = place.usual;
        }
    }
    if (services == nullptr) {
        auto decision = routing::decide(snapshot.table, inputs);
        return {std::move(inputs), std::move(decision)};
    }
    auto decided = decide_now(*services, snapshot, known.value_or(routing::Named{}), inputs);
    if (!decided) return {std::move(inputs), fail(decided.error())};
    return {std::move(inputs), std::move(decided->decision)};
}

}  // namespace tandem::gateway
