#include "gateway/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/hash.h"
#include "base/text.h"
#include "chat/estimate.h"
#include "gateway/attempts.h"
#include "gateway/count.h"
#include "gateway/prepare.h"
#include "gateway/standing.h"

namespace tandem::gateway {

namespace {

static_assert(dialect::kKindNames == config::kDialectNames, "keys name dialects as clients' settings do");

class Run {
  public:
    Run(Gateway& gateway, Call call, translate::Front front, Keeping keeping)
        : way_(gateway, std::move(call), front, std::move(keeping)), preparation_(way_), services_(way_.services) {}

    net::Task<> run() {
        const auto ready = co_await preparation_.run();
        if (!ready) {
            co_await way_.refuse(ready.error());
            co_return;
        }
        const Decided& decided = **ready;
        if (way_.question.front.operation == translate::Operation::count) {
            co_await count_tokens(way_, decided);
            co_return;
        }
        if (decided.decision().eligible == 0) {
            auto recorded = co_await way_.close_record();
            co_await way_.refuse(
                recorded ? refusal_of(services_, *way_.snapshot, way_.who, decided.inputs(), decided.decision())
                         : recorded.error());
            co_return;
        }
        if (const auto known = cached(decided)) {
            co_await give_again(decided, *known, "hit");
            co_return;
        }
        if (!way_.cache.request.empty() && !way_.config.cache.similar.empty() && !way_.context) {
            const auto near = co_await similar(decided);
            if (near.answer) {
                way_.warn("this is the answer to a question that means nearly the same");
                co_await give_again(decided, *near.answer, fmt::format("similar; nearness={:.3f}", near.nearness));
                co_return;
            }
        }
        // Whoever reads or thinks for long leaves its client without a sign of life.
        way_.begin_pulse();
        Attempts attempts(way_, preparation_, decided);
        std::exception_ptr thrown;
        try {
            co_await attempts.run();
        } catch (...) {
            thrown = std::current_exception();
        }
        co_await way_.pulse.rest();
        if (thrown) std::rethrow_exception(thrown);
    }

  private:
    // ---- answers that were given before ----

    // What makes it the same request; empty where its answer is not to be kept, or is asked for anew.
    std::string same_request(const Decided& decided) const {
        const bool text = translate::answers_in_text(way_.question.front.operation);
        if (way_.config.cache.ttl.count() == 0 || !text || way_.keeping.keep ||
            decided.inputs().label == Label::secret || way_.asked.fresh)
            return {};
        // The table is part of it: another policy may want another model.
        return hex(sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", way_.snapshot->table_id, way_.who.id(),
                                      way_.question.path, way_.question.array, name_of(decided.inputs().label),
                                      way_.asked.conversation, asked_bytes())));
    }
    // Marks of what was found in files are others each time: what was found is not.
    std::string_view asked_bytes() const {
        return way_.context ? std::string_view(way_.context->identity) : way_.question.document.source();
    }
    std::shared_ptr<const cache::AnswerCache::Answer> cached(const Decided& decided) {
        way_.cache.request = same_request(decided);
        if (way_.cache.request.empty()) return nullptr;
        return services_.cache.find(way_.cache.request, services_.clock.steady(), way_.config.cache.ttl);
    }
    // An answer to a question that means nearly the same, in a request that is the same otherwise. Nothing where the
    // embedding is not to be had, or may not be made of such content.
    net::Task<cache::AnswerCache::Similar> similar(const Decided& decided) {
        const auto rest = cache::rest_of(request());
        if (rest.empty()) co_return cache::AnswerCache::Similar{};
        const auto text = chat::last_user_text(request());
        auto vector =
            co_await preparation_.embed(way_.config.cache.similar, access::Part::cache, decided.inputs().label);
        if (!vector) {
            way_.warn("the cache was not asked for similar questions: " + vector.error().message);
            co_return cache::AnswerCache::Similar{};
        }
        way_.cache.meaning = {hex(sha256(fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", way_.snapshot->table_id,
                                                     way_.who.id(), way_.question.path, way_.question.array,
                                                     name_of(decided.inputs().label), way_.asked.conversation, rest))),
                              cache::facts_of(text), std::move(*vector)};
        co_return services_.cache.find_similar(way_.cache.meaning, way_.config.cache.at_least, services_.clock.steady(),
                                               way_.config.cache.ttl);
    }

    net::Task<> give_again(const Decided& decided, const cache::AnswerCache::Answer& known, std::string_view how) {
        const auto age = services_.clock.steady() - known.made;
        Served served{way_.new_attempt(decided, known.provider, known.model, known.zone), {}};
        served.record.outcome = "cached";
        served.record.warnings = join(way_.take_unrecorded(), "; ");
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

    const chat::Request& request() const { return way_.request(); }

    Way way_;
    Preparation preparation_;
    Services& services_;
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
