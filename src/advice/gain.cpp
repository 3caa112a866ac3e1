// What a combination gives over another one, how many machines it takes, and its changes in words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "advice/evaluate.h"

namespace tandem::advice {

double variance_of(const Knowledge& knowledge, const Loadings& loadings) {
    double variance = 0;
    for (const auto& [model, by_kind] : loadings) {
        const auto* known = knowledge.find(model);
        const Belief belief = known == nullptr ? Belief{} : known->belief;
        double shared = 0;
        for (std::size_t kind = 0; kind < kKinds; ++kind) {
            const double all = belief.weight_kind[kind] + Belief::kKindPrior;
            shared += by_kind[kind] * Belief::kKindPrior / all;
            variance += by_kind[kind] * by_kind[kind] * Belief::kSpread / all;
        }
        variance += shared * shared * Belief::kSpread / (belief.weight + belief.prior);
    }
    return variance;
}

bool Gain::sure() const {
    return mean > 0 && mean > kNormal * error;
}

Gain gain_of(const Situation& situation, const Evaluation& one, const Evaluation& other) {
    Gain gain;
    gain.mean = one.worth - other.worth;
    const auto months = static_cast<double>(kMonthMs) / static_cast<double>(std::max(one.span_ms, kLeastSpanMs));
    auto differing = one.loadings;
    for (const auto& [model, by_kind] : other.loadings)
        for (std::size_t kind = 0; kind < kKinds; ++kind) differing[model][kind] -= by_kind[kind];
    const double value = one.mean_value * static_cast<double>(one.requests) * months;
    double variance = variance_of(situation.knowledge, differing) * value * value;
    const auto days = std::min(one.daily.size(), other.daily.size());
    if (days > 1) {
        double sum = 0, squares = 0;
        for (std::size_t i = 0; i < days; ++i) {
            const double difference = one.daily[i] - other.daily[i];
            sum += difference;
            squares += difference * difference;
        }
        const auto n = static_cast<double>(days);
        const double of_day = std::max(0.0, (squares - sum * sum / n) / (n - 1));
        const double days_of_month = static_cast<double>(kMonthMs) / static_cast<double>(kLeastSpanMs);
        variance += of_day / n * days_of_month * days_of_month;
    }
    gain.error = std::sqrt(variance);
    return gain;
}

std::optional<Combination> grown(Evaluator& evaluator, Combination combination) {
    for (int round = 0; round < 4 * kMostMachines; ++round) {
        const auto evaluation = evaluator.evaluate(combination);
        bool changed = false;
        for (const auto& station : evaluation.stations) {
            if (station.keeps_up) continue;
            const auto machine = std::ranges::find_if(
                combination.machines, [&](const Machine& one) { return one.hardware.id == station.machine; });
            if (machine == combination.machines.end() || machine->count >= kMostMachines) return std::nullopt;
            // At least as many as the work of the span alone takes.
            const int least = static_cast<int>(std::ceil(station.utilisation * machine->count));
            machine->count = std::min(kMostMachines, std::max(machine->count + 1, least));
            changed = true;
            break;
        }
        if (!changed) return combination;
    }
    return std::nullopt;
}

std::string Change::text() const {
    switch (what) {
        case What::preset:
            return fmt::format("set policy.preset: {}", value);
        case What::auto_use:
            return value == "yes"
                       ? fmt::format("let Tandem choose {} (models.{}.auto: yes)", name, name)
                       : fmt::format("keep {} out of what Tandem chooses from (models.{}.auto: {})", name, name, value);
        case What::add_model:
            return fmt::format("add the model {}: {}", name, value);
        case What::need_provider:
            return fmt::format(
                "add the provider {0} with your key: providers: {{ {0}: {{ kind: ..., api_key: ... }} }}; "
                "`tandem init` has examples",
                name);
        case What::buy:
            return value == "1" ? fmt::format("buy {}", name) : fmt::format("buy {} x {}", value, name);
        case What::sell:
            return fmt::format("sell {}", name);
        case What::merge_keys:
            return fmt::format("merge the keys {} and {}", name, value);
    }
    return {};
}

}  // namespace tandem::advice
