#include "gateway/standing.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::gateway {

using routing::Candidate;
using routing::Excluded;

prices::Tariff price_of(const Snapshot& snapshot, const routing::Table::Entry& entry, const routing::Named& named) {
    if (entry.model != named.entry || named.rest.empty()) return entry.price;
    const auto* model = snapshot.config->model(entry.model);
    return model == nullptr ? entry.price
                            : snapshot.pricing->of(*model, routing::provider_name(model->name, named.rest));
}

namespace {

// Why a model that its provider said not to have is left alone, or empty.
std::string refused_model(const Services& services, const Snapshot& snapshot, const routing::Named& named,
                          const routing::Table::Entry& entry) {
    if (!services.health.any_model_refused()) return {};
    const auto& config = *snapshot.config;
    const auto* model = config.model(entry.model);
    if (model == nullptr) return {};
    const auto name = entry.model == named.entry ? routing::provider_name(model->name, named.rest) : model->name;
    return services.health.unhealthy_model(upstream::Health::model_key(*config.provider(entry.provider), name));
}

// Why a model whose price nobody knows may not be used, by the owner's rule or by a budget.
void refuse_unknown(const Services& services, const config::Config& config, const access::Principal& who,
                    routing::Standing& standing) {
    const auto what_to_do = fmt::format(
        "set models.{}.price in tandem.yaml ({{ input: 0, output: 0 }} where it costs nothing), or "
        "policy.unknown_price: estimate RATE",
        standing.model);
    if (config.policy.unknown_price.act == config::UnknownPrice::Do::refuse)
        standing.unpriced = fmt::format("it has no price, and policy.unknown_price is refuse; {}", what_to_do);
    else if (services.budgets.bind_money(who))
        standing.over_budget = fmt::format("it has no price, so no budget that binds the key '{}' can hold for it; {}",
                                           who.id(), what_to_do);
}

ledger::Subject subject_of(const access::Principal& who, const routing::Inputs& inputs, const std::string& provider,
                           const std::string& model) {
    return {.key = who.id(),
            .team = who.team(),
            .owner = who.owner(),
            .workflow = inputs.workflow,
            .alias = inputs.alias,
            .label = inputs.label,
            .provider = provider,
            .model = model};
}

// What is done where the models that a budget stands against would have been the first choice. `spared`: whether a
// model may still be asked then.
void obey(routing::Inputs& inputs, const routing::Table& table, const std::string& reason,
          const std::function<bool(const routing::Table::Entry&)>& spared) {
    for (const auto& entry : table.models) {
        if (spared(entry)) continue;
        auto found = std::ranges::find(inputs.standing, entry.model, &routing::Standing::model);
        if (found == inputs.standing.end())
            inputs.standing.push_back({entry.model, {}, reason});
        else if (found->over_budget.empty())
            found->over_budget = reason;
    }
}

void ask_budgets(const Services& services, const ledger::Subject& subject, Money cost, const Usage& usage,
                 routing::Standing& standing) {
    auto denial = services.budgets.denied(subject, cost, usage.input + usage.output, ledger::Budgets::Amount::left_out);
    if (!denial) return;
    standing.over_budget = std::move(denial->error.message);
    standing.on_budget = denial->act;
}

}  // namespace

std::vector<routing::Standing> standing_of(Services& services, const Snapshot& snapshot, const access::Principal& who,
                                           const routing::Inputs& inputs, const routing::Named& named) {
    const bool bound = services.budgets.bind(who);
    std::vector<routing::Standing> result;
    for (const auto& entry : snapshot.table.models) {
        const bool engine = snapshot.config->provider(entry.provider)->kind->runs_here;
        routing::Standing standing{entry.model, services.health.unhealthy(entry.provider), {}};
        if (standing.unhealthy.empty()) standing.unhealthy = refused_model(services, snapshot, named, entry);
        if (standing.unhealthy.empty() && engine) standing.unhealthy = services.engines.unhealthy(entry.model);
        if (engine)
            standing.wait_seconds =
                std::chrono::duration_cast<seconds>(services.engines.expected_wait(entry.model)).count();
        const auto price = price_of(snapshot, entry, named);
        if (entry.model == named.entry && !named.rest.empty()) standing.price = price;
        if (!price.known())
            refuse_unknown(services, *snapshot.config, who, standing);
        else if (bound)
            ask_budgets(services, subject_of(who, inputs, entry.provider, entry.model),
                        routing::worst_cost(entry, inputs.features, price),
                        routing::worst_usage(entry, inputs.features), standing);
        if (!standing.empty()) result.push_back(std::move(standing));
    }
    return result;
}

namespace {

// Of the providers that may be tried out of turn, the one whose pause ends first; null where there is none.
const Candidate* to_be_tried(const Services& services, const routing::Decision& decision) {
    const Candidate* next = nullptr;
    std::int64_t left = 0;
    for (const auto& candidate : decision.candidates) {
        if (candidate.excluded != Excluded::health || !services.health.may_be_tried(candidate.provider)) continue;
        const auto its = services.health.status(candidate.provider).seconds_left;
        if (next != nullptr && its >= left) continue;
        next = &candidate;
        left = its;
    }
    return next;
}

// Where nothing speaks against models but that their providers said not to have them, they are asked all the same: it
// may have been mended. Nullopt where that leaves nothing to ask either.
std::optional<Choice> decide_with_refused(const Services& services, const Snapshot& snapshot,
                                          const routing::Named& named, routing::Inputs& inputs) {
    auto with = inputs;
    for (auto& standing : with.standing) {
        const auto* entry = snapshot.table.find(standing.model);
        if (entry == nullptr || standing.unhealthy.empty() || !services.health.unhealthy(entry->provider).empty())
            continue;
        if (refused_model(services, snapshot, named, *entry) == standing.unhealthy) standing.unhealthy.clear();
    }
    std::erase_if(with.standing, [](const auto& s) { return s.empty(); });
    if (with.standing.size() == inputs.standing.size()) return {};
    auto decision = routing::decide(snapshot.table, with);
    if (!decision || decision->eligible == 0) return {};
    inputs = std::move(with);
    return Choice{std::move(*decision), {}, false};
}

}  // namespace

bool do_as_budgets_say(const Snapshot& snapshot, const routing::Named& named, routing::Inputs& inputs) {
    const auto wishes = [](const routing::Standing& s) {
        return !s.over_budget.empty() && s.on_budget != config::OnBudget::cheaper;
    };
    if (std::ranges::none_of(inputs.standing, wishes)) return false;
    auto without = inputs;
    for (auto& standing : without.standing) standing.over_budget.clear();
    std::erase_if(without.standing, [](const auto& s) { return s.empty(); });
    const auto ideal = routing::decide(snapshot.table, without);
    if (!ideal || ideal->eligible == 0) return false;
    const auto first = std::ranges::find(inputs.standing, ideal->candidates.front().model, &routing::Standing::model);
    if (first == inputs.standing.end() || !wishes(*first)) return false;
    const auto wish = first->on_budget;
    const auto reason = first->over_budget;
    obey(inputs, snapshot.table, reason, [&](const routing::Table::Entry& entry) {
        const auto price = price_of(snapshot, entry, named);
        return wish == config::OnBudget::local && price.known() &&
               routing::worst_cost(entry, inputs.features, price) == Money{};
    });
    return wish == config::OnBudget::queue;
}

Result<Choice> decide_now(Services& services, const Snapshot& snapshot, const routing::Named& named,
                          routing::Inputs& inputs) {
    const auto& table = snapshot.table;
    const bool queued = do_as_budgets_say(snapshot, named, inputs);
    auto decision = routing::decide(table, inputs);
    if (!decision) return fail(decision.error());
    if (decision->eligible > 0) return Choice{std::move(*decision), {}, false};
    const auto* next = to_be_tried(services, *decision);
    if (next == nullptr)
        if (auto asked = decide_with_refused(services, snapshot, named, inputs)) return std::move(*asked);
    if (next == nullptr) return Choice{std::move(*decision), {}, queued};
    const auto provider = next->provider;
    for (auto& standing : inputs.standing)
        if (const auto* entry = table.find(standing.model); entry != nullptr && entry->provider == provider)
            standing.unhealthy.clear();
    std::erase_if(inputs.standing, [](const auto& s) { return s.empty(); });
    auto again = routing::decide(table, inputs);
    if (!again) return fail(again.error());
    const bool any = again->eligible > 0;
    return Choice{std::move(*again), any ? provider : std::string(), !any && queued};
}

std::vector<PassedOver> passed_over(const routing::Table& table, const routing::Inputs& inputs,
                                    const routing::Decision& decision) {
    const auto stands_back = [](const Candidate& c) {
        return c.excluded == Excluded::health || c.excluded == Excluded::budget;
    };
    if (std::ranges::none_of(decision.candidates, stands_back)) return {};
    auto without = inputs;
    for (auto& standing : without.standing) standing.unhealthy = standing.over_budget = std::string();
    const auto ideal = routing::decide(table, without);
    if (!ideal) return {};
    const auto place_of = [&](const std::string& model) {
        const auto end = ideal->candidates.begin() + static_cast<std::ptrdiff_t>(ideal->eligible);
        return std::ranges::find(ideal->candidates.begin(), end, model, &Candidate::model) - ideal->candidates.begin();
    };
    std::vector<std::pair<std::ptrdiff_t, PassedOver>> found;
    for (const auto& candidate : decision.candidates) {
        if (!stands_back(candidate)) continue;
        const auto place = place_of(candidate.model);
        // Something else would speak against it.
        if (place == static_cast<std::ptrdiff_t>(ideal->eligible)) continue;
        std::size_t before = 0;
        while (before < decision.eligible && place_of(decision.candidates[before].model) < place) ++before;
        found.emplace_back(
            place, PassedOver{candidate.model, candidate.provider, candidate.excluded, candidate.reason, before});
    }
    std::ranges::sort(found, {}, [](const auto& one) { return one.first; });
    std::vector<PassedOver> result;
    for (auto& one : found) result.push_back(std::move(one.second));
    return result;
}

namespace {

// Asks the budgets what a reservation for a candidate would ask them: where one has no room, its owner is told.
std::optional<ledger::Denial> denied_to(const Services& services, const access::Principal& who,
                                        const routing::Inputs& inputs, const Candidate& candidate,
                                        const routing::Table::Entry& entry) {
    const auto most = routing::worst_usage(entry, inputs.features);
    return services.budgets.denied(subject_of(who, inputs, candidate.provider, candidate.model), candidate.estimate,
                                   most.input + most.output, ledger::Budgets::Amount::said);
}

// When it helps to ask again, of those that only a budget speaks against.
void add_wait_for_money(const Services& services, const Snapshot& snapshot, const access::Principal& who,
                        const routing::Inputs& inputs, const routing::Decision& decision, Error& error) {
    error.certain = true;
    std::optional<Fault> code;  // of the budgets, where they all say the same
    for (const auto& candidate : decision.candidates) {
        const auto* entry = snapshot.table.find(candidate.model);
        if (candidate.excluded != Excluded::budget || entry == nullptr) continue;
        const auto denied = denied_to(services, who, inputs, candidate, *entry);
        // A budget that had no room for this very model may have got some since it was decided on.
        const auto standing = std::ranges::find(inputs.standing, candidate.model, &routing::Standing::model);
        const bool was_denied = standing != inputs.standing.end() && standing->on_budget != config::OnBudget::cheaper;
        if (denied) {
            const bool other = code && *code != denied->error.code.fault();
            code = other ? Fault::budget_used_up : denied->error.code.fault();
        }
        if (denied ? denied->error.certain || !denied->error.again_in : !was_denied) continue;
        const auto again_in = denied ? *denied->error.again_in : 1;
        error.certain = false;
        error.again_in = std::min(error.again_in.value_or(again_in), again_in);
    }
    if (code) error.code = *code;
}

// When the first of those that are only unwell may be asked again.
void add_wait_for_health(const Services& services, const routing::Decision& decision, Error& error) {
    for (const auto& candidate : decision.candidates) {
        if (candidate.excluded != Excluded::health) continue;
        const auto left = std::max<std::int64_t>(1, services.health.status(candidate.provider).seconds_left);
        error.again_in = std::min<long long>(error.again_in.value_or(left), left);
    }
}

}  // namespace

void tell_no_room(const Services& services, const Snapshot& snapshot, const access::Principal& who,
                  const routing::Inputs& inputs, const routing::Decision& decision, std::string_view model) {
    const auto candidate = std::ranges::find(decision.candidates, model, &Candidate::model);
    const auto* entry = snapshot.table.find(model);
    if (candidate != decision.candidates.end() && entry != nullptr)
        static_cast<void>(denied_to(services, who, inputs, *candidate, *entry));
}

Error refusal_of(Services& services, const Snapshot& snapshot, const access::Principal& who,
                 const routing::Inputs& inputs, const routing::Decision& decision) {
    auto error = decision.refusal(snapshot.config->currency);
    if (error.code == ErrorCode::over_budget) add_wait_for_money(services, snapshot, who, inputs, decision, error);
    if (error.code == ErrorCode::unavailable) add_wait_for_health(services, decision, error);
    return error;
}

std::optional<Error> refusal_now(Services& services, const Snapshot& snapshot, const access::Principal& who,
                                 routing::Inputs inputs) {
    const auto named = routing::named(snapshot.table, inputs.alias).value_or(routing::Named{});
    inputs.standing = standing_of(services, snapshot, who, inputs, named);
    do_as_budgets_say(snapshot, named, inputs);
    const auto decision = routing::decide(snapshot.table, inputs);
    if (!decision || decision->eligible > 0) return {};
    return refusal_of(services, snapshot, who, inputs, *decision);
}

}  // namespace tandem::gateway
