#include "gateway/run.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "chat/answer.h"
#include "chat/estimate.h"
#include "privacy/guard.h"
#include "privacy/redact.h"
#include "privacy/restore.h"

namespace tandem::gateway {

namespace {

constexpr std::size_t kLargeBody = 256 * 1024;  // decoded and scanned on a thread of its own
constexpr milliseconds kFirstRetryPause{150};

// What the client may say in headers.
struct Asked {
    Label label = Label::public_;
    config::Stakes stakes = config::Stakes::normal;
    std::string conversation;
    SteadyTime deadline;
};

Result<Asked> read_headers(const net::Fields& headers, SteadyTime latest) {
    Asked asked;
    asked.deadline = latest;
    if (const auto text = headers.get("x-tandem-label"); !text.empty()) {
        const auto label = label_from(text);
        const std::vector<std::string> names(kLabelNames.begin(), kLabelNames.end());
        if (!label)
            return fail(
                ErrorCode::invalid,
                fmt::format("x-tandem-label: there is no label '{}'{}", printable(text, 40), suggest(text, names)),
                "x-tandem-label");
        asked.label = *label;
    }
    if (const auto text = headers.get("x-tandem-value"); !text.empty()) {
        const auto stakes = config::stakes_from(text);
        if (!stakes) return fail(ErrorCode::invalid, "x-tandem-value: expected high, normal or low", "x-tandem-value");
        asked.stakes = *stakes;
    }
    if (const auto text = headers.get("x-tandem-timeout"); !text.empty()) {
        const auto wait = whole_number(text);
        if (!wait || *wait < 1 || *wait > 86'400)
            return fail(ErrorCode::invalid, "x-tandem-timeout: expected whole seconds, from 1 to 86400",
                        "x-tandem-timeout");
        asked.deadline = std::min(latest, std::chrono::steady_clock::now() + seconds(*wait));
    }
    asked.conversation = headers.get("x-tandem-conversation");
    return asked;
}

std::string fingerprint_scope(const config::Key& key, const std::string& conversation) {
    return conversation.empty() ? "" : key.id + "\n" + conversation;
}

// Health and money of each model, as far as they speak against it.
std::vector<routing::Standing> standing_of(Services& services, const Snapshot& snapshot, const config::Key& key,
                                           const routing::Features& features) {
    std::vector<routing::Standing> result;
    for (const auto& entry : snapshot.table.models) {
        const bool engine = snapshot.config->provider(entry.provider)->kind == config::ProviderKind::engine;
        routing::Standing standing{entry.model, services.health.unhealthy(entry.provider), {}};
        if (standing.unhealthy.empty() && engine) standing.unhealthy = services.engines.unhealthy(entry.model);
        if (!key.budgets.empty())
            standing.over_budget = services.budgets.refusal(key, routing::worst_cost(entry, features));
        if (!standing.unhealthy.empty() || !standing.over_budget.empty()) result.push_back(std::move(standing));
    }
    return result;
}

// The parts of a label that need no detector.
privacy::Labelled label_by_source(const config::Key& key, const std::string& alias, Label asked,
                                  const privacy::Known& remembered) {
    privacy::Labelled labelled;
    labelled.raise(key.label, fmt::format("key {}", key.id));
    if (alias == "private") labelled.raise(Label::private_, "alias private");
    labelled.raise(asked, "header x-tandem-label");
    labelled.recall(remembered);
    return labelled;
}

// What detectors look at: all of it, or, where the owner has released a beginning, what came after that.
Result<> document_after(const Question& question, std::optional<std::size_t> released, json::Document& rest) {
    auto request = question.request;
    const auto count = std::min(request.messages.size(), *released + 1);
    request.messages.erase(request.messages.begin(), request.messages.begin() + static_cast<std::ptrdiff_t>(count));
    return rest.parse(dialect::of(question.front.kind).encode_request(request, {request.model, false, false, 0}).body);
}

routing::Inputs inputs_of(const config::Key& key, const chat::Request& request, privacy::Labelled labelled,
                          config::Stakes stakes, int repeats) {
    routing::Inputs inputs;
    inputs.alias = request.model;
    inputs.key = key.id;
    inputs.label = labelled.label;
    inputs.rest = labelled.rest;
    inputs.found = labelled.found;
    inputs.label_reasons = std::move(labelled.reasons);
    inputs.stakes = key.high_value ? config::Stakes::high : stakes;
    inputs.features = routing::features_of(request);
    inputs.features.repeats = repeats;
    return inputs;
}

class Run {
  public:
    Run(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot, const config::Key& key,
        Front front, Keeping keeping)
        : gateway_(gateway),
          services_(gateway.services()),
          exchange_(exchange),
          snapshot_(std::move(snapshot)),
          config_(*snapshot_->config),
          key_(key),
          keeping_(std::move(keeping)) {
        question_.front = front;
        question_.path = exchange.request().path;
        question_.array = front.kind == dialect::Kind::gemini && exchange.request().parameter("alt") != "sse";
    }

    net::Task<> run() {
        auto ready = co_await prepare();
        if (!ready) {
            co_await refuse(ready.error());
            co_return;
        }
        if (question_.front.operation == Operation::count) {
            co_await count();
            co_return;
        }
        if (decision_->eligible == 0) {
            auto recorded = co_await close_record();
            co_await refuse(recorded ? decision_->refusal() : recorded.error(), until_one_is_well());
            co_return;
        }
        if (const auto known = cached()) {
            co_await give_again(*known);
            co_return;
        }
        co_await attempt_all();
    }

  private:
    enum class Next { done, retry, next_candidate, give_up };

    // ---- authenticate (done by the gateway), label, decide ----

    net::Task<Result<>> prepare() {
        auto asked =
            read_headers(exchange_.request().headers, services_.clock.steady() + config_.server.request_timeout);
        if (!asked) co_return fail(asked.error());
        asked_ = std::move(*asked);
        arrived_ = services_.clock.steady();
        auto admission = services_.budgets.admit(key_);
        if (!admission) co_return fail(admission.error());
        admission_ = std::move(*admission);
        Result<> read;
        if (exchange_.request().body.size() <= kLargeBody) {
            read = decode_and_detect();
        } else {
            read = co_await net::run_on<Result<>>(services_.pool, [this] { return decode_and_detect(); });
        }
        if (!read) co_return read;
        co_return decide();
    }

    Result<> decode_and_detect() {
        if (auto ok = question_.document.parse(exchange_.request().body); !ok) return ok;
        if (auto ok = decode(question_); !ok) return ok;
        if (!key_.aliases.empty() && std::ranges::find(key_.aliases, request().model) == key_.aliases.end())
            return fail(ErrorCode::forbidden,
                        fmt::format("the key '{}' may not use '{}'{}", key_.id, printable(request().model, 80),
                                    suggest(request().model, key_.aliases)),
                        "model");
        auto& memory = services_.privacy.memory();
        if (!memory.empty()) identify();
        const auto recalled = memory.recall(identity_);
        labelled_ = label_by_source(key_, request().model, asked_.label, recalled.known);
        labelled_.raise(keeping_.label, keeping_.label_reason);
        json::Document after;
        const bool released = recalled.released && question_.front.operation == Operation::chat &&
                              document_after(question_, recalled.released, after).has_value();
        privacy::label_by_content(*snapshot_->detector, released ? after : question_.document, config_.privacy.detect,
                                  labelled_);
        if (labelled_.label == Label::public_ && !identity_.prefixes.empty()) memory.note_public(identity_);
        return {};
    }

    void identify() {
        if (identity_.prefixes.empty())
            identity_ = privacy::identify(request(), fingerprint_scope(key_, asked_.conversation));
    }

    Result<> decide() {
        id_ = DecisionId::make(services_.clock, services_.random);
        auto inputs =
            inputs_of(key_, request(), std::move(labelled_), asked_.stakes, services_.repeats.count(request()));
        need(inputs.features);
        const auto operation = question_.front.operation;
        if (config_.policy.objective.learn && (operation == Operation::chat || operation == Operation::completion)) {
            place_ = services_.learning.place(request(), key_, true);
            inputs.outlook = place_.outlook;
            // Nothing of what is secret is kept, not even which words it has.
            if (inputs.label == Label::secret) place_.learns = false;
        }
        if (snapshot_->table.objective.explore > 0)
            inputs.dice = static_cast<double>(services_.random.next() % 1'000'000) / 1e6;
        inputs.standing = standing_of(services_, *snapshot_, key_, inputs.features);
        auto decision = routing::decide(snapshot_->table, inputs);
        if (!decision) return fail(decision.error());
        inputs_ = std::make_shared<const routing::Inputs>(std::move(inputs));
        decision_ = std::make_shared<const routing::Decision>(std::move(*decision));
        if (inputs_->label > Label::public_) identify();
        remember_ =
            services_.privacy.memory().remember(identity_, {inputs_->label, inputs_->rest}, id_.text(), keeping_.id);
        return {};
    }

    // When the first of those that are only unwell may be asked again.
    std::optional<seconds> until_one_is_well() const {
        std::optional<seconds> first;
        for (const auto& candidate : decision_->candidates) {
            if (candidate.excluded != routing::Excluded::health) continue;
            const seconds left(services_.health.status(candidate.provider).seconds_left);
            if (left.count() > 0 && (!first || left < *first)) first = left;
        }
        return first;
    }

    // ---- redaction ----

    // The question as one zone may see it, and what puts its answer right.
    struct Redacted {
        Question question;
        privacy::Redaction redaction;
        std::shared_ptr<const privacy::Stands> stands;
    };

    // Made once for each zone. Errors: policy, internal, unavailable; then the zone may not be asked.
    Result<std::shared_ptr<const Redacted>> redacted_for(Zone zone) {
        auto& made = redacted_[static_cast<std::size_t>(zone)];
        if (made) return made;
        auto& vault = services_.privacy.vault();
        auto scope = vault.scope_of(key_.id, conversation_name());
        if (!scope) return fail(scope.error());
        const auto known = vault.entries(*scope);
        if (!known) return fail(known.error());
        const auto& rules = config_.privacy;
        auto redaction = privacy::redact(
            question_.document, *snapshot_->detector,
            {rules.detect, rules.treatments[static_cast<std::size_t>(zone)], rules.realistic}, *known, *vault.keys());
        if (!redaction) return fail(redaction.error());
        auto result = std::make_shared<Redacted>();
        result->redaction = std::move(*redaction);
        result->question.front = question_.front;
        result->question.path = question_.path;
        result->question.array = question_.array;
        if (auto ok = result->question.document.parse(result->redaction.body); !ok) return fail(ok.error());
        if (auto ok = decode(result->question); !ok) return fail(ok.error());
        result->stands = std::make_shared<privacy::Stands>(result->redaction.used);
        remember_ = both(std::move(remember_), vault.keep(*scope, result->redaction.fresh, rules.vault_keeps));
        made = result;
        return made;
    }

    // What its client calls the conversation, or else how it begins.
    std::string conversation_name() {
        if (!asked_.conversation.empty()) return "id\n" + asked_.conversation;
        identify();
        const auto& messages = request().messages;
        const auto first = std::ranges::find_if(messages, [](const auto& m) { return m.role == chat::Role::user; });
        const auto at = first == messages.end() ? 0 : static_cast<std::size_t>(first - messages.begin());
        return identity_.prefixes.empty() ? "" : std::to_string(identity_.prefixes[at]);
    }

    // What sees the answer last: the owner's rules for answers, then what puts values back.
    void add_filters(Conversion& conversation, Zone zone) {
        const bool text =
            question_.front.operation == Operation::chat || question_.front.operation == Operation::completion;
        auto rules = privacy::rules_for(config_.privacy.answers, zone);
        if (!text || (rules.empty() && !sent_)) return;
        conversation.filter_with([this, rules, sent = sent_](std::vector<std::unique_ptr<chat::EventFilter>>& list) {
            const auto& asked = sent ? sent->question.document : question_.document;
            if (!rules.empty())
                list.push_back(privacy::guard_filter(*snapshot_->detector, config_.privacy.detect, rules,
                                                     [&asked] { return privacy::all_text(asked); }));
            if (sent) list.push_back(privacy::restore_filter(sent->stands));
        });
    }

    // What came of private content is as private; where a model saw only what remained, as private as that.
    Label label_of_answer() const { return sent_ ? inputs_->rest : inputs_->label; }
    void remember_answer(const std::string& text) {
        if (inputs_->label == Label::public_) return;
        remember_ =
            both(std::move(remember_), services_.privacy.memory().remember_piece(privacy::piece_of_answer(text),
                                                                                 {inputs_->label, label_of_answer()}));
    }

    // ---- answers that were given before ----

    // What makes it the same request; empty where its answer is not to be kept, or is asked for anew.
    std::string same_request() const {
        const auto operation = question_.front.operation;
        const bool text = operation == Operation::chat || operation == Operation::completion;
        const auto& headers = exchange_.request().headers;
        if (config_.cache.ttl.count() == 0 || !text || keeping_.keep || inputs_->label == Label::secret ||
            headers.get("x-tandem-cache") == "no" ||
            lower(headers.get("cache-control")).find("no-") != std::string::npos)
            return {};
        // The table is part of it: another policy may want another model.
        return hex(sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", snapshot_->table_id, key_.id, question_.path,
                                      question_.array, name_of(inputs_->label), asked_.conversation,
                                      exchange_.request().body)));
    }
    std::shared_ptr<const AnswerCache::Answer> cached() {
        same_request_ = same_request();
        if (same_request_.empty()) return nullptr;
        return services_.cache.find(same_request_, services_.clock.steady(), config_.cache.ttl);
    }
    void keep_answer(std::string body, std::string_view type, bool stream) {
        if (same_request_.empty()) return;
        services_.cache.keep(same_request_,
                             {std::move(body), std::string(type), stream, attempt_.model, attempt_.provider,
                              attempt_.zone, services_.clock.steady()},
                             config_.cache.bytes);
    }
    net::Task<> give_again(const AnswerCache::Answer& known) {
        const auto age = services_.clock.steady() - known.made;
        begin_attempt(known.provider, known.model, known.zone);
        attempt_.outcome = "cached";
        attempts_.push_back(attempt_);
        auto receipt = co_await close_record();
        if (!receipt) {
            co_await refuse(receipt.error());
            co_return;
        }
        auto headers = answer_headers(known.type);
        headers.add("x-tandem-cache", fmt::format("hit; age={}", std::chrono::duration_cast<seconds>(age).count()));
        co_await give(std::move(*receipt), std::move(headers), known.body, known.stream);
    }

    // ---- learning, and the cascade ----

    bool learns() const { return place_.learns; }

    Learning::Answered outcome_of(const chat::Told& told, std::string fault) const {
        const auto kind = config_.provider(attempt_.provider)->kind;
        const bool signs = kind == config::ProviderKind::anthropic || kind == config::ProviderKind::responses ||
                           kind == config::ProviderKind::gemini;
        const bool thinks = request().thinking.on.value_or(false) || !request().thinking.effort.empty();
        return {id_.text(),
                key_.id,
                attempt_.model,
                static_cast<double>(attempt_.total_ms) / 1000,
                attempt_.usage.input.count,
                attempt_.usage.output.count,
                told.text.substr(0, Learning::kLooked),
                std::move(fault),
                signs && thinks};
    }

    // What was answered, so that it can be learned from when its outcome is known.
    void learn_answer(const chat::Told& told) {
        if (!learns()) return;
        services_.learning.answered(place_, outcome_of(told, chat::fault_of(told, request())));
    }

    // An answer that was held back.
    struct Spare {
        std::string body;
        bool stream = false;
        ledger::AttemptRecord attempt;
    };

    // Why a local answer that the client has seen nothing of is not good enough.
    struct Doubt {
        std::string reason;   // empty where it is good enough
        bool faulty = false;  // nobody could use it; else it is only expected to be worse
    };
    Doubt doubt_of(const chat::Told& told) const {
        if (auto fault = chat::fault_of(told, request()); !fault.empty()) return {std::move(fault), true};
        const auto judged = services_.learning.judge(place_, attempt_.model, told.text);
        if (!judged) return {};
        const auto& next = decision_->candidates[candidate_ + 1].terms;
        const double gain = (next.quality - *judged) * routing::value_of_answer(snapshot_->table, decision_->stakes);
        if (gain <= next.cost) return {};
        return {fmt::format("good with {:.2f} only, by what was learned", *judged), false};
    }

    // The answer stays here, and the next candidate is asked. `say` makes what the client would have got: one that is
    // only expected to be worse is better than none, where nobody else answers.
    Next escalate(const chat::Told& told, Doubt doubt, const Usage& usage, const routing::Table::Entry& entry,
                  ledger::Reservation& reservation, const std::function<Spare()>& say) {
        if (!doubt.faulty) {
            spare_ = say();
            spare_->attempt = attempt_;
        }
        warn(fmt::format("{} answered, and its answer did not pass: {}", attempt_.model, doubt.reason));
        attempt_.error = doubt.reason;
        settle(usage, entry, reservation, "escalated");
        if (learns()) services_.learning.rejected(place_, outcome_of(told, std::move(doubt.reason)));
        last_ = ours({ErrorCode::upstream, "no answer passed the checks of the cascade"}, upstream::Remedy::next);
        return Next::next_candidate;
    }

    // What a model must have for other work than to answer.
    void need(routing::Features& features) const {
        const auto operation = question_.front.operation;
        if (operation != Operation::embed && operation != Operation::rerank) return;
        features.needs = {};
        features.needs.add(operation == Operation::embed ? config::Capability::embeddings : config::Capability::rerank);
        features.answer_tokens = 1;
        // The texts are looked at one by one; the longest must fit.
        std::int64_t longest = 0;
        for (const auto& message : request().messages)
            longest = std::max(longest, chat::estimate_tokens(chat::text_of(message.parts)).count);
        features.prompt_tokens = longest;
    }

    // The records that must be there before anything that follows from them; each is given out once.
    store::Store::Job pending_records() {
        auto remember = both(std::exchange(remember_, {}), std::exchange(keep_, {}));
        store::Store::Job decision;
        if (!decision_recorded_) {
            decision_recorded_ = true;
            // Its JSON is made on the ledger's thread: this one has requests to serve.
            decision = [id = id_, time = services_.clock.wall().time_since_epoch().count(), snapshot = snapshot_,
                        inputs = inputs_, made = decision_](store::Database& database) {
                return ledger::insert(
                    database, {id, time, inputs->key, inputs->alias, inputs->label, made->rule, snapshot->table_id,
                               routing::to_json(*inputs), routing::to_json(*made)});
            };
        }
        return both(std::move(remember), std::move(decision));
    }

    static store::Store::Job both(store::Store::Job first, store::Store::Job second) {
        if (!first) return second;
        if (!second) return first;
        return [first = std::move(first), second = std::move(second)](store::Database& database) -> Result<> {
            if (auto ok = first(database); !ok) return ok;
            return second(database);
        };
    }

    // ---- attempt ----

    // What the owner wants done where an attempt fails: of the alias, else of the rule, else of all.
    const config::FailurePolicy& failure_policy() const {
        if (const auto* alias = config_.alias(request().model); alias != nullptr && alias->failure)
            return *alias->failure;
        for (const auto& rule : config_.policy.rules)
            if (rule.failure && rule.name == decision_->rule) return *rule.failure;
        return config_.policy.failure;
    }

    bool late() const { return services_.clock.steady() >= asked_.deadline; }

    net::Task<> attempt_all() {
        const auto& policy = failure_policy();
        if (policy.timeout.count() > 0) asked_.deadline = std::min(asked_.deadline, arrived_ + policy.timeout);
        const std::size_t candidates = decision_->fallback ? decision_->eligible : 1;
        for (std::size_t i = 0; i < candidates && !late(); ++i) {
            candidate_ = i;
            const auto& candidate = decision_->candidates[i];
            // What did not fit one context does not fit another of the same size.
            if (too_long_for_ > 0 && candidate.context_tokens > 0 && candidate.context_tokens <= too_long_for_)
                continue;
            hold_ = decision_->cascade && candidate.zone == Zone::local && i + 1 < candidates;
            for (int attempt = 1; attempt <= policy.attempts && !late(); ++attempt) {
                const auto next = co_await attempt_one(candidate);
                if (next == Next::done) co_return;
                if (next == Next::give_up) {
                    co_await give_up();
                    co_return;
                }
                if (last_.what == config::FailureClass::context) too_long_for_ = candidate.context_tokens;
                if (next == Next::next_candidate || attempt == policy.attempts ||
                    !co_await pause_before_retry(attempt, candidate.provider))
                    break;
            }
        }
        co_await give_up();
    }

    // False where waiting makes no sense any more.
    net::Task<bool> pause_before_retry(int attempt, const std::string& provider) {
        const milliseconds backoff =
            kFirstRetryPause * (1 << std::min(attempt - 1, 5)) + milliseconds(services_.random.next() % 50);
        // Another key of the same provider need not wait.
        const bool other_key = last_.rest && services_.health.has_key(provider);
        milliseconds wait = backoff;
        if (other_key)
            wait = milliseconds(0);
        else if (last_.retry_after)
            wait = std::max<milliseconds>(backoff, *last_.retry_after);
        if (wait > failure_policy().longest_wait || services_.clock.steady() + wait >= asked_.deadline) co_return false;
        co_await net::sleep_for(exchange_.worker().context(), wait);
        co_return !exchange_.cancel().fired();
    }

    void begin_attempt(const std::string& provider, const std::string& model, Zone zone) {
        attempt_ = {};
        attempt_.decision = id_;
        attempt_.number = static_cast<int>(attempts_.size()) + 1;
        attempt_.time = services_.clock.wall().time_since_epoch().count();
        attempt_.key = key_.id;
        attempt_.provider = provider;
        attempt_.model = model;
        attempt_.zone = zone;
        started_ = services_.clock.steady();
    }

    net::Task<Next> attempt_one(const routing::Candidate& candidate) {
        const auto& entry = *snapshot_->table.find(candidate.model);
        const auto& provider = *config_.provider(candidate.provider);
        begin_attempt(candidate.provider, candidate.model, candidate.zone);

        const bool engine = provider.kind == config::ProviderKind::engine;
        auto trial = engine ? upstream::Health::Trial() : services_.health.try_it(provider.id);
        if (!trial)
            co_return failed(
                ours({ErrorCode::unavailable, services_.health.unhealthy(provider.id)}, upstream::Remedy::next));
        const Tokens most{inputs_->features.prompt_tokens + routing::answer_room(entry, inputs_->features)};
        auto reservation = services_.budgets.reserve(key_, routing::worst_cost(entry, inputs_->features), most);
        if (!reservation) co_return failed(ours(reservation.error(), upstream::Remedy::next));

        auto pass = co_await wait_for_room(candidate, provider);
        if (!pass && exchange_.cancel().fired()) co_return cancelled(false);
        if (!pass) co_return failed(ours(pass.error(), upstream::Remedy::next));
        auto place = co_await reach(candidate, provider);
        if (!place && exchange_.cancel().fired()) co_return cancelled(false);
        if (!place) co_return failed(ours(place.error(), upstream::Remedy::next));
        auto& endpoint = place->endpoint;
        const auto api_key = engine ? 0 : services_.health.key_of(provider.id, provider.api_keys.size());
        if (!engine) endpoint.api_key = provider.api_keys[api_key];
        if (const auto bound = failure_policy().attempt_timeout; bound.count() > 0)
            endpoint.first_byte_timeout = std::min(endpoint.first_byte_timeout, bound);
        const auto& model = *config_.model(candidate.model);
        sent_.reset();
        if (candidate.redacted) {
            auto redacted = redacted_for(candidate.zone);
            if (!redacted) {
                warn(fmt::format("{}: {}", candidate.model, redacted.error().message));
                co_return failed(ours(redacted.error(), upstream::Remedy::next));
            }
            sent_ = std::move(*redacted);
        } else if (inputs_->label > inputs_->rest) {
            // This model sees the whole, so what it makes of it is as private as that.
            remember_ = both(std::move(remember_),
                             services_.privacy.memory().remember(identity_, {inputs_->label, inputs_->label}, {}));
        }
        auto conversion = Conversion::make(sent_ ? sent_->question : question_, provider, model);
        if (!conversion) {
            warn(fmt::format("{}: {}", candidate.model, conversion.error().message));
            co_return failed(ours(conversion.error(), upstream::Remedy::next));
        }
        for (const auto& warning : conversion->warnings()) warn(warning);
        add_filters(*conversion, candidate.zone);
        auto call = call_of(*conversion);
        auto clearance = co_await clear(candidate, entry, conversion->take_body());
        if (!clearance) {
            const bool storage = clearance.error().code == ErrorCode::storage;
            co_return failed(ours(clearance.error(), storage ? upstream::Remedy::give_up : upstream::Remedy::next));
        }
        auto sent = co_await upstream::send(gateway_.client_of(exchange_.worker()), std::move(*clearance), *reservation,
                                            endpoint, std::move(call), asked_.deadline, exchange_.cancel());
        if (!sent) {
            if (exchange_.cancel().fired()) co_return cancelled(true, &*reservation, &entry);
            own_error_ = conversion->same();
            const auto what = sent.error().what;
            if (what == config::FailureClass::rate_limit || what == config::FailureClass::timeout ||
                sent.error().status == 503)
                pass->say(upstream::Gate::Verdict::overloaded);
            if (sent.error().rest)
                services_.health.rest(provider.id, api_key, *sent.error().rest,
                                      recordable(sent.error().error.message, sent.error().status));
            co_return failed(std::move(sent.error()));
        }
        services_.health.succeeded(candidate.provider);
        pass->say(upstream::Gate::Verdict::good);
        // A provider that says that nothing is left for now is believed before it refuses.
        if (const auto rest = upstream::rest_wanted(sent->answer.headers(), services_.clock.wall()); rest && !engine)
            services_.health.rest(provider.id, api_key, *rest);
        attempt_.status = 200;
        if (sent->stream && request().stream) co_return co_await relay(sent->answer, *conversion, entry, *reservation);
        co_return co_await whole(sent->answer, sent->stream, *conversion, entry, *reservation);
    }

    // Its turn at the provider; for an engine, at a slot of the model. Errors: rate_limited, timeout, cancelled.
    net::Task<Result<upstream::Gate::Pass>> wait_for_room(const routing::Candidate& candidate,
                                                          const config::Provider& provider) {
        struct Patience final : net::Watched {
            std::function<void()> over;
            void on_deadline() override { over(); }
        };
        const bool engine = provider.kind == config::ProviderKind::engine;
        const auto slots = static_cast<std::size_t>(config_.model(candidate.model)->slots);
        const upstream::Gate::Asked asked{engine ? candidate.model : provider.id, engine ? slots : provider.concurrency,
                                          key_.id, keeping_.batch, asked_.deadline};
        auto& watchdog = exchange_.worker().watchdog();
        std::shared_ptr<upstream::Gate::Ticket> ticket;
        Patience patience;
        net::Cancel::Hook hook;
        auto pass = co_await net::wait_for<Result<upstream::Gate::Pass>>([&](auto resume) {
            ticket = services_.gate.enter(asked, std::move(resume));
            if (!ticket) return;
            patience.over = [&] {
                services_.gate.give_up(
                    ticket, {ErrorCode::timeout, fmt::format("{} was busy until the deadline", asked.place)});
            };
            patience.deadline = asked_.deadline;
            watchdog.add(patience);
            exchange_.cancel().on_fire(
                hook, [&] { services_.gate.give_up(ticket, {ErrorCode::cancelled, "the client has gone"}); });
        });
        if (ticket) watchdog.remove(patience);
        co_return pass;
    }

    // Where the candidate is reached; an engine is started for it, and held.
    struct Place {
        upstream::Endpoint endpoint;
        engine::Lease lease;
    };
    net::Task<Result<Place>> reach(const routing::Candidate& candidate, const config::Provider& provider) {
        Place place{upstream::endpoint_of(provider), {}};
        if (provider.kind != config::ProviderKind::engine) co_return place;
        auto lent = co_await net::wait_for<Result<engine::Lease>>(
            [&](auto resume) { services_.engines.acquire(candidate.model, asked_.deadline, std::move(resume)); });
        if (exchange_.cancel().fired()) co_return fail(ErrorCode::cancelled, "the client has gone");
        if (!lent) co_return fail(lent.error());
        place.lease = std::move(*lent);
        place.endpoint.base_url = place.lease.base_url();
        place.endpoint.api_key = place.lease.api_key();
        co_return place;
    }

    // ---- counting ----

    // Exact where a llama-server can be asked, by its template and tokenizer; else the estimate, marked as one.
    net::Task<> count() {
        std::optional<std::int64_t> tokens;
        for (const auto& candidate : decision_->candidates) {
            const auto& provider = *config_.provider(candidate.provider);
            const bool llama =
                provider.kind == config::ProviderKind::engine || provider.kind == config::ProviderKind::llama_server;
            // The first that may see it; that it is too long for the model is what is being asked.
            const bool may =
                candidate.excluded == routing::Excluded::no || candidate.excluded == routing::Excluded::context;
            if (!may) continue;
            if (llama && !candidate.redacted && !inputs_->features.needs.has(config::Capability::vision))
                tokens = co_await exact_count(candidate);
            break;
        }
        if (!tokens) warn("the number of tokens is an estimate");
        auto receipt = co_await close_record();
        if (!receipt) {
            co_await refuse(receipt.error());
            co_return;
        }
        const auto number = tokens.value_or(inputs_->features.prompt_tokens);
        net::Response response;
        response.headers = answer_headers("application/json");
        response.headers.add("x-tandem-count", tokens ? "exact" : "estimate");
        switch (question_.front.kind) {
            case dialect::Kind::gemini:
                response.body = fmt::format("{{\"totalTokens\":{}}}", number);
                break;
            case dialect::Kind::openai_responses:
                response.body = fmt::format("{{\"object\":\"response.input_tokens\",\"input_tokens\":{}}}", number);
                break;
            default:
                response.body = fmt::format("{{\"input_tokens\":{}}}", number);
        }
        co_await last_byte(std::move(*receipt), std::move(response));
    }

    // One question beside the answer; false where there is none.
    net::Task<bool> ask_json(const routing::Candidate& candidate, const ledger::Reservation& reservation,
                             const upstream::Endpoint& endpoint, std::string path, std::string body,
                             json::Document& answer) {
        auto clearance = co_await clear(candidate, *snapshot_->table.find(candidate.model), std::move(body));
        if (!clearance) co_return false;
        upstream::Call call;
        call.path = std::move(path);
        auto sent = co_await upstream::send(gateway_.client_of(exchange_.worker()), std::move(*clearance), reservation,
                                            endpoint, std::move(call), asked_.deadline, exchange_.cancel());
        if (!sent) co_return false;
        auto text = co_await sent->answer.read_all();
        co_return text&& answer.parse(*text).has_value();
    }

    net::Task<std::optional<std::int64_t>> exact_count(const routing::Candidate& candidate) {
        const auto& provider = *config_.provider(candidate.provider);
        const auto& entry = *snapshot_->table.find(candidate.model);
        begin_attempt(candidate.provider, candidate.model, candidate.zone);
        auto reservation = services_.budgets.reserve(key_, Money{}, Tokens{});
        auto conversion = Conversion::make(question_, provider, *config_.model(candidate.model));
        if (!reservation || !conversion) co_return std::nullopt;
        auto place = co_await reach(candidate, provider);
        if (!place) co_return std::nullopt;
        auto& url = place->endpoint.base_url;
        if (url.ends_with("/v1")) url.resize(url.size() - 3);
        json::Document answer;
        if (!co_await ask_json(candidate, *reservation, place->endpoint, "/apply-template", conversion->take_body(),
                               answer))
            co_return std::nullopt;
        json::Writer out;
        out.begin_object().member("content", answer.root()["prompt"].text()).member("add_special", true);
        out.member("parse_special", true).end_object();
        if (!co_await ask_json(candidate, *reservation, place->endpoint, "/tokenize", out.take(), answer))
            co_return std::nullopt;
        const auto tokens = answer.root()["tokens"];
        if (!tokens.is(json::Kind::array)) co_return std::nullopt;
        settle({}, entry, *reservation, "counted");
        co_return static_cast<std::int64_t>(tokens.size());
    }

    // A decision that sends something out is recorded with it; one that stays home, at the end.
    net::Task<Result<privacy::Clearance>> clear(const routing::Candidate& candidate, const routing::Table::Entry& entry,
                                                std::string body) {
        privacy::Privacy::Ask ask{id_,
                                  candidate.provider,
                                  candidate.model,
                                  candidate.zone,
                                  entry.clearance,
                                  candidate.seen,
                                  decision_->rule,
                                  std::move(body),
                                  std::string(kOperationNames[static_cast<std::size_t>(question_.front.operation)])};
        if (sent_)
            ask.redacted.emplace(sent_->redaction.summary(), sent_->redaction.stand_ins, *snapshot_->detector,
                                 config_.privacy.detect);
        auto records = candidate.zone == Zone::cloud ? pending_records() : std::exchange(remember_, {});
        co_return co_await net::wait_for<Result<privacy::Clearance>>(
            [&](auto resume) { services_.privacy.clear(std::move(ask), std::move(records), std::move(resume)); });
    }

    upstream::Call call_of(const Conversion& conversion) {
        upstream::Call call;
        call.path = conversion.outgoing().path;
        call.stream = request().stream;
        const auto betas = exchange_.request().headers.get("anthropic-beta");
        if (question_.front.kind != dialect::Kind::anthropic || betas.empty()) return call;
        if (conversion.same())
            call.headers.add("anthropic-beta", betas);
        else
            warn(fmt::format("anthropic-beta was left out: {} has no such header", attempt_.provider));
        return call;
    }

    dialect::AnswerFrame frame() const {
        dialect::AnswerFrame frame;
        frame.id = keeping_.id.empty() ? std::string(id_.tail()) : keeping_.id;
        frame.model = attempt_.model;
        frame.created = attempt_.time / 1000;
        frame.prompt_tokens = inputs_->features.prompt_tokens;
        frame.request = &request();
        frame.array = question_.array && request().stream;
        frame.generate = question_.path == "/api/generate";
        frame.echo = keeping_.echo;
        frame.own = keeping_.own;
        return frame;
    }

    std::string_view stream_type() const {
        if (question_.front.kind == dialect::Kind::ollama) return "application/x-ndjson";
        return question_.array ? "application/json" : "text/event-stream";
    }

    // What the client must be able to ask for again is kept with the receipt.
    net::Task<Result<ledger::Receipt>> close_with(const std::string& response) {
        if (!keeping_.keep || response.empty()) co_return co_await close_record();
        keep_ = keeping_.keep(response, label_of_answer());
        co_return co_await close_record();
    }

    // ---- the answer, whole ----

    net::Task<Next> whole(net::Answer& answer, bool streamed, const Conversion& conversion,
                          const routing::Table::Entry& entry, ledger::Reservation& reservation) {
        auto body = co_await answer.read_all();
        if (exchange_.cancel().fired()) co_return cancelled(true, &reservation, &entry);
        if (!body) co_return unreadable(body.error());
        mark_first_byte();
        const auto frame = this->frame();
        auto read = conversion.read(*body, streamed, frame.id);
        if (!read && read.error().code == ErrorCode::policy)
            co_return stopped(read.error(), estimate({static_cast<std::int64_t>(body->size() / 4)}), entry,
                              reservation);
        if (!read) {
            Error error = read.error();
            error.message = fmt::format("{}: {}", entry.provider, error.message);
            co_return unreadable(std::move(error));
        }
        const auto usage = read->usage.value_or(estimate(read->output));
        if (hold_)
            if (auto doubt = doubt_of(read->told); !doubt.reason.empty())
                co_return escalate(read->told, std::move(doubt), usage, entry, reservation, [&] {
                    auto said = conversion.say(*read, *body, streamed, usage, frame);
                    return Spare{std::move(said.body), said.stream, {}};
                });
        settle(usage, entry, reservation, "answered");
        remember_answer(read->told.text);
        learn_answer(read->told);
        auto said = conversion.say(*read, std::move(*body), streamed, attempt_.usage, frame);
        // Reranked texts come back as they were sent.
        if (sent_ && question_.front.operation == Operation::rerank)
            said.body = privacy::restored(sent_->stands, said.body, true);
        auto receipt = co_await close_with(keeping_.keep_whole ? said.body : said.response);
        if (!receipt) {
            co_await refuse(receipt.error());
            co_return Next::done;
        }
        keep_answer(said.body, type_of(said.stream), said.stream);
        co_await give(std::move(*receipt), answer_headers(type_of(said.stream)), std::move(said.body), said.stream);
        co_return Next::done;
    }

    // ---- the answer, as it comes ----

    net::Task<Next> relay(net::Answer& answer, const Conversion& conversion, const routing::Table::Entry& entry,
                          ledger::Reservation& reservation) {
        const auto relay = conversion.relay([this] { return frame(); });
        if (inputs_->label > Label::public_ || learns() || hold_) relay->collect();
        std::optional<Error> broken;
        std::string given;  // for the cache
        while (!relay->done() && !relay->failed()) {
            auto piece = co_await answer.read();
            if (exchange_.cancel().fired()) {
                settle(relay->usage().value_or(estimate(relay->estimated_output())), entry, reservation, "cancelled");
                remember_answer(relay->told().text);
                record_unwatched();
                co_return Next::done;
            }
            if (!piece) {
                broken = piece.error();
                break;
            }
            mark_first_byte();
            if (piece->empty()) {
                relay->end();
                break;
            }
            if (auto ok = relay->feed(*piece); !ok) {
                broken = ok.error();
                break;
            }
            // Until there is content, an error can still be an HTTP error, and another attempt be made. What came with
            // the end is for the last bytes.
            if (hold_ || !relay->has_content() || relay->failed() || relay->done()) continue;
            auto bytes = relay->take();
            if (bytes.empty()) continue;
            if (!exchange_.started()) exchange_.start(200, answer_headers(stream_type()));
            if (!same_request_.empty() && given.size() < AnswerCache::kLargest) given += bytes;
            co_await exchange_.write(std::move(bytes));
        }
        if (relay->failed()) broken = relay->failed();
        if (!broken && !relay->done() && !relay->whole())
            broken = Error{ErrorCode::upstream,
                           fmt::format("{} ended its stream before the answer was finished", entry.provider)};
        if (broken && !exchange_.started() && broken->code == ErrorCode::policy)
            co_return stopped(*broken, relay->usage().value_or(estimate(relay->estimated_output())), entry,
                              reservation);
        if (broken && !exchange_.started()) co_return unreadable(*broken);
        if (relay->malformed() > 0)
            warn(fmt::format("{} malformed events of {} were skipped", relay->malformed(), entry.provider));
        const auto usage = relay->usage().value_or(estimate(relay->estimated_output()));
        if (hold_ && !broken)
            if (auto doubt = doubt_of(relay->told()); !doubt.reason.empty())
                co_return escalate(relay->told(), std::move(doubt), usage, entry, reservation, [&] {
                    auto bytes = relay->take();
                    return Spare{bytes + relay->finish(usage), true, {}};
                });
        settle(usage, entry, reservation, broken ? "cut" : "answered");
        remember_answer(relay->told().text);
        if (!broken) learn_answer(relay->told());
        if (broken) {
            attempt_.error = recordable(broken->message, broken->code == ErrorCode::policy ? 0 : attempt_.status);
            if (broken->code != ErrorCode::policy) services_.health.failed(entry.provider, attempt_.error);
            auto last = relay->fail(*broken);
            if (keeping_.keep && !relay->response().empty())
                keep_ = keeping_.keep(relay->response(), label_of_answer());
            record_unwatched();
            co_await exchange_.write(std::move(last));
            co_return Next::done;
        }
        std::string rest = relay->finish(attempt_.usage);
        auto receipt = co_await close_with(relay->response());
        if (!receipt && !exchange_.started()) {
            co_await refuse(receipt.error());
            co_return Next::done;
        }
        if (!receipt) {
            co_await exchange_.write(relay->fail(receipt.error()));
            co_return Next::done;
        }
        if (!exchange_.started()) exchange_.start(200, answer_headers(stream_type()));
        if (!same_request_.empty()) keep_answer(given + rest, stream_type(), true);
        co_await last_bytes(std::move(*receipt), std::move(rest));
        co_return Next::done;
    }

    // ---- record ----

    void mark_first_byte() {
        if (attempt_.first_byte_ms < 0) attempt_.first_byte_ms = elapsed_ms();
    }
    std::int64_t elapsed_ms() const {
        return std::chrono::duration_cast<milliseconds>(services_.clock.steady() - started_).count();
    }
    Usage estimate(Tokens output) const { return {{inputs_->features.prompt_tokens}, {0}, output, {0}, true}; }

    void warn(std::string text) { warnings_.push_back(std::move(text)); }

    void settle(const Usage& usage, const routing::Table::Entry& entry, ledger::Reservation& reservation,
                std::string outcome) {
        attempt_.usage = usage;
        attempt_.cost = cost_of(usage, entry.price);
        attempt_.outcome = std::move(outcome);
        attempt_.total_ms = elapsed_ms();
        attempt_.warnings = join(warnings_, "; ");
        reservation.settle(attempt_.cost, usage.input + usage.output);
        attempts_.push_back(attempt_);
    }

    // A failure that is not its provider's.
    static upstream::Failure ours(Error error, upstream::Remedy remedy) {
        upstream::Failure failure;
        failure.error = std::move(error);
        failure.remedy = remedy;
        return failure;
    }

    Next failed(upstream::Failure failure) {
        attempt_.outcome = "failed";
        attempt_.status = failure.status;
        // A provider may quote the prompt in its complaint. What is recorded has no values in it; the client knows
        // them.
        const auto message = recordable(failure.error.message, failure.status);
        attempt_.error = printable(message, 400);
        attempt_.total_ms = elapsed_ms();
        attempts_.push_back(attempt_);
        warn(fmt::format("{} failed: {}", attempt_.model, message));
        if (failure.provider_unwell) services_.health.failed(attempt_.provider, message);
        last_ = std::move(failure);
        if (sent_) {
            last_.error.message = privacy::restored(sent_->stands, last_.error.message, false);
            last_.body = privacy::restored(sent_->stands, last_.body, true);
        }
        switch (remedy_of(last_)) {
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
    upstream::Remedy remedy_of(upstream::Failure& failure) const {
        if (!failure.what) return failure.remedy;
        const bool runs_tools = std::ranges::any_of(
            request().tools, [](const auto& tool) { return tool.kind == chat::Tool::Kind::hosted; });
        const bool at_work = *failure.what == config::FailureClass::timeout ||
                             *failure.what == config::FailureClass::connection ||
                             *failure.what == config::FailureClass::invalid_output;
        if (runs_tools && failure.sent && at_work) {
            failure.error.message += "; it is not asked again, since it runs tools itself and may have done so";
            return failure.remedy = upstream::Remedy::give_up;
        }
        switch (failure_policy().reaction(*failure.what)) {
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
    Next unreadable(Error error) {
        const auto what = error.code == ErrorCode::timeout   ? config::FailureClass::timeout
                          : error.code == ErrorCode::context ? config::FailureClass::context
                                                             : config::FailureClass::invalid_output;
        auto failure = ours(std::move(error), upstream::Remedy::retry);
        failure.what = what;
        failure.sent = true;
        failure.provider_unwell = what != config::FailureClass::context;
        failure.status = attempt_.status;
        return failed(std::move(failure));
    }

    // The owner's rules for answers have stopped it: the provider did its work, and nobody else is asked.
    Next stopped(Error error, const Usage& usage, const routing::Table::Entry& entry,
                 ledger::Reservation& reservation) {
        attempt_.error = error.message;
        settle(usage, entry, reservation, "stopped");
        last_ = ours(std::move(error), upstream::Remedy::give_up);
        return Next::give_up;
    }

    // The client has gone. What was sent is paid for all the same.
    Next cancelled(bool was_sent, ledger::Reservation* reservation = nullptr,
                   const routing::Table::Entry* entry = nullptr) {
        attempt_.error = "the client has gone";
        if (was_sent && reservation != nullptr) {
            settle(estimate({0}), *entry, *reservation, "cancelled");
        } else {
            attempt_.outcome = "cancelled";
            attempt_.total_ms = elapsed_ms();
            attempts_.push_back(attempt_);
        }
        record_unwatched();
        return Next::done;
    }

    // What of an error may be written down: of a provider's own words on private content nothing, since it may quote
    // it.
    std::string recordable(std::string_view message, int status) const {
        if (status != 0 && inputs_->label >= Label::private_)
            return fmt::format("answered with status {}; its words are not written down, since the content is {}",
                               status, name_of(inputs_->label));
        return privacy::scrubbed(*snapshot_->detector, config_.privacy.detect, message);
    }

    void record_unwatched() { services_.ledger.close_unwatched(attempts_, pending_records()); }

    net::Task<Result<ledger::Receipt>> close_record() {
        co_return co_await net::wait_for<Result<ledger::Receipt>>([&](auto resume) {
            tried_ = attempts_.size();
            services_.ledger.close(std::move(attempts_), pending_records(), std::move(resume));
        });
    }

    // Nobody answered. The client learns why; a provider's own word on a wrong request is handed on as it is.
    net::Task<> give_up() {
        auto receipt = co_await close_record();
        if (!receipt) {
            co_await refuse(receipt.error());
            co_return;
        }
        if (spare_ && !exchange_.started()) {
            attempt_ = spare_->attempt;
            warn(fmt::format("nobody else answered, so this is what {} said", attempt_.model));
            co_await give(std::move(*receipt), answer_headers(type_of(spare_->stream)), std::move(spare_->body),
                          spare_->stream);
            co_return;
        }
        // Its word on its own state would be read as one on the client: a 401 is about our key there.
        const bool about_request =
            last_.what == config::FailureClass::invalid_request || last_.what == config::FailureClass::content_filter;
        const bool as_it_is = own_error_ && about_request;
        if (as_it_is && last_.remedy == upstream::Remedy::give_up && last_.status >= 400 && !last_.body.empty()) {
            net::Response response;
            response.status = last_.status;
            response.headers = answer_headers("application/json");
            response.body = last_.body;
            co_await exchange_.reply(std::move(response));
            co_return;
        }
        Error error = last_.error;
        if (tried_ > 1 && error.code != ErrorCode::context) error.message = join(warnings_, "; ");
        if (services_.clock.steady() >= asked_.deadline) error.code = ErrorCode::timeout;
        co_await refuse(std::move(error), last_.retry_after);
    }

    // ---- answer ----

    net::Fields answer_headers(std::string_view type) const {
        net::Fields headers;
        headers.add("content-type", type);
        headers.add("x-tandem-decision", id_.text());
        headers.add("x-tandem-model", attempt_.model);
        headers.add("x-tandem-provider", attempt_.provider);
        headers.add("x-tandem-zone", name_of(attempt_.zone));
        headers.add("x-tandem-label", name_of(inputs_->label));
        if (sent_) headers.add("x-tandem-redacted", sent_->redaction.summary());
        if (!warnings_.empty()) headers.add("x-tandem-warnings", header_text(join(warnings_, "; ")));
        headers.add(question_.front.kind == dialect::Kind::anthropic ? "request-id" : "x-request-id", id_.text());
        if (type == "text/event-stream") {
            headers.add("cache-control", "no-cache");
            headers.add("x-accel-buffering", "no");
        }
        add_cors(*snapshot_, exchange_.request().headers, headers);
        return headers;
    }

    std::string_view type_of(bool stream) const { return stream ? stream_type() : "application/json"; }

    // An answer that is whole, as a stream or in one piece.
    net::Task<> give(ledger::Receipt receipt, net::Fields headers, std::string body, bool stream) {
        if (stream) {
            exchange_.start(200, std::move(headers));
            co_await last_bytes(std::move(receipt), std::move(body));
            co_return;
        }
        net::Response response;
        response.headers = std::move(headers);
        response.body = std::move(body);
        co_await last_byte(std::move(receipt), std::move(response));
    }

    // The last byte of an answer is given only for a receipt.
    net::Task<> last_byte(ledger::Receipt, net::Response response) { co_await exchange_.reply(std::move(response)); }
    net::Task<> last_bytes(ledger::Receipt, std::string bytes) { co_await exchange_.finish(std::move(bytes)); }

    net::Task<> refuse(Error error, std::optional<seconds> retry_after = {}) {
        auto response = gateway_.error(exchange_.request().path, 0, error);
        if (retry_after && response.headers.has("retry-after")) {
            // The provider knows better than we do.
            net::Fields headers;
            response.headers.each([&](std::string_view name, std::string_view value) {
                headers.add(name, name == "retry-after" ? std::to_string(retry_after->count()) : std::string(value));
            });
            response.headers = std::move(headers);
        }
        if (!id_.text().empty()) {
            response.headers.add("x-tandem-decision", id_.text());
            response.headers.add("x-tandem-label", name_of(inputs_->label));
        }
        if (!id_.text().empty())
            response.headers.add(question_.front.kind == dialect::Kind::anthropic ? "request-id" : "x-request-id",
                                 id_.text());
        if (!warnings_.empty()) response.headers.add("x-tandem-warnings", header_text(join(warnings_, "; ")));
        add_cors(*snapshot_, exchange_.request().headers, response.headers);
        co_await exchange_.reply(std::move(response));
    }

    const chat::Request& request() const { return question_.request; }

    Gateway& gateway_;
    Services& services_;
    net::Exchange& exchange_;
    const std::shared_ptr<const Snapshot> snapshot_;
    const config::Config& config_;
    const config::Key& key_;
    const Keeping keeping_;
    ledger::Admission admission_;
    Asked asked_;
    Question question_;
    privacy::Identity identity_;
    std::array<std::shared_ptr<const Redacted>, 2> redacted_;  // by zone
    std::shared_ptr<const Redacted> sent_;  // of the attempt under way, where it is not the question itself
    privacy::Labelled labelled_;
    Learning::Place place_;
    std::string same_request_;   // empty: not for the cache
    std::size_t candidate_ = 0;  // its place in the decision's order
    bool hold_ = false;          // the client sees nothing of the answer before it has passed
    DecisionId id_;
    std::shared_ptr<const routing::Inputs> inputs_ = std::make_shared<const routing::Inputs>();
    std::shared_ptr<const routing::Decision> decision_ = std::make_shared<const routing::Decision>();
    bool decision_recorded_ = false;
    store::Store::Job remember_;
    store::Store::Job keep_;
    bool own_error_ = false;                       // the last failure's body is in the client's dialect
    std::vector<ledger::AttemptRecord> attempts_;  // until they are recorded
    std::size_t tried_ = 0;
    ledger::AttemptRecord attempt_;
    SteadyTime started_;
    SteadyTime arrived_;
    std::vector<std::string> warnings_;
    std::optional<Spare> spare_;
    upstream::Failure last_;
    std::int64_t too_long_for_ = 0;  // a context that the prompt did not fit
};

}  // namespace

net::Task<> answer_question(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot,
                            const config::Key& key, Front front, Keeping keeping) {
    Run run(gateway, exchange, std::move(snapshot), key, front, std::move(keeping));
    co_await run.run();
}

DryRun decide_only(const Snapshot& snapshot, Services* services, const config::Key& key, const json::Document& document,
                   const chat::Request& request, Label asked_label, config::Stakes stakes) {
    const auto remembered = services == nullptr
                                ? privacy::Known{}
                                : services->privacy.memory().recall(privacy::identify(request, "")).known;
    auto labelled = label_by_source(key, request.model, asked_label, remembered);
    privacy::label_by_content(*snapshot.detector, document, snapshot.config->privacy.detect, labelled);
    auto inputs = inputs_of(key, request, std::move(labelled), stakes, 0);
    if (services != nullptr) {
        inputs.standing = standing_of(*services, snapshot, key, inputs.features);
        if (snapshot.config->policy.objective.learn)
            inputs.outlook = services->learning.place(request, key, false).outlook;
    }
    auto decision = routing::decide(snapshot.table, inputs);
    return {std::move(inputs), std::move(decision)};
}

}  // namespace tandem::gateway
