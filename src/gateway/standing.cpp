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

// Why a model whose price nobody knows may not be used, by the owner's rule or by the key's budget.
void refuse_unknown(const config::Config& config, const access::Principal& who, routing::Standing& standing) {
    const auto what_to_do = fmt::format(
        "set models.{}.price in tandem.yaml ({{ input: 0, output: 0 }} where it costs nothing), or "
        "policy.unknown_price: estimate RATE",
        standing.model);
    if (config.policy.unknown_price.act == config::UnknownPrice::Do::refuse)
        standing.unpriced = fmt::format("it has no price, and policy.unknown_price is refuse; {}", what_to_do);
    else if (!who.budgets.empty())
        standing.over_budget =
            fmt::format("it has no price, so the budget of the key '{}' cannot hold for it; {}", who.id(), what_to_do);
}

}  // namespace

std::vector<routing::Standing> standing_of(Services& services, const Snapshot& snapshot, const access::Principal& who,
                                           const routing::Features& features, const routing::Named& named) {
    std::vector<routing::Standing> result;
    for (const auto& entry : snapshot.table.models) {
        const bool engine = snapshot.config->provider(entry.provider)->kind == config::ProviderKind::engine;
        routing::Standing standing{entry.model, services.health.unhealthy(entry.provider), {}};
        if (standing.unhealthy.empty() && engine) standing.unhealthy = services.engines.unhealthy(entry.model);
        const auto price = price_of(snapshot, entry, named);
        if (entry.model == named.entry && !named.rest.empty()) standing.price = price;
        if (!price.known())
            refuse_unknown(*snapshot.config, who, standing);
        else if (!who.budgets.empty())
            standing.over_budget = services.budgets.refusal_of_any(who, routing::worst_cost(entry, features, price));
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

}  // namespace

Result<Decided> decide_now(Services& services, const routing::Table& table, routing::Inputs& inputs) {
    auto decision = routing::decide(table, inputs);
    if (!decision) return fail(decision.error());
    if (decision->eligible > 0) return Decided{std::move(*decision), {}};
    const auto* next = to_be_tried(services, *decision);
    if (next == nullptr) return Decided{std::move(*decision), {}};
    const auto provider = next->provider;
    for (auto& standing : inputs.standing)
        if (const auto* entry = table.find(standing.model); entry != nullptr && entry->provider == provider)
            standing.unhealthy.clear();
    std::erase_if(inputs.standing, [](const auto& s) { return s.empty(); });
    auto again = routing::decide(table, inputs);
    if (!again) return fail(again.error());
    return Decided{std::move(*again), again->eligible > 0 ? provider : std::string()};
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

// When it helps to ask again, of those that only the key's money speaks against.
void add_wait_for_money(const Services& services, const access::Principal& who, const routing::Decision& decision,
                        Error& error) {
    error.certain = true;
    for (const auto& candidate : decision.candidates) {
        if (candidate.excluded != Excluded::budget) continue;
        const auto denied = services.budgets.denied(who, candidate.estimate);
        if (!denied || denied->certain) continue;
        error.certain = false;
        error.again_in = std::min(error.again_in.value_or(*denied->again_in), *denied->again_in);
    }
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

Error refusal_of(Services& services, const access::Principal& who, const routing::Decision& decision) {
    auto error = decision.refusal();
    if (error.code == ErrorCode::over_budget) add_wait_for_money(services, who, decision, error);
    if (error.code == ErrorCode::unavailable) add_wait_for_health(services, decision, error);
    return error;
}

std::optional<Error> refusal_now(Services& services, const Snapshot& snapshot, const access::Principal& who,
                                 routing::Inputs inputs) {
    inputs.standing = standing_of(services, snapshot, who, inputs.features,
                                  routing::named(snapshot.table, inputs.alias).value_or(routing::Named{}));
    const auto decision = routing::decide(snapshot.table, inputs);
    if (!decision || decision->eligible > 0) return {};
    return refusal_of(services, who, *decision);
}

}  // namespace tandem::gateway
