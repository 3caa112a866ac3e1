// What a combination gives over another one, how many machines it takes, and its changes in words.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "advice/evaluate.h"

namespace tandem::advice {

double variance_of(const Knowledge& knowledge, const Loadings& loadings) {
    double variance = 0;
    for (const auto& [model, by_cell] : loadings) {
        const auto* known = knowledge.find(model);
        const Belief belief = known == nullptr ? Belief{} : known->belief;
        double of_model = 0;
        for (std::size_t kind = 0; kind < kKinds; ++kind) {
            double of_kind = 0;
            for (std::size_t cell = kind * kBands; cell < (kind + 1) * kBands; ++cell) {
                const double all = belief.weight_cell[cell] + Belief::kCellPrior;
                of_kind += by_cell[cell] * Belief::kCellPrior / all;
                variance += by_cell[cell] * by_cell[cell] * Belief::kSpread / all;
            }
            const double all = belief.weight_kind[kind] + Belief::kKindPrior;
            of_model += of_kind * Belief::kKindPrior / all;
            variance += of_kind * of_kind * Belief::kSpread / all;
        }
        variance += of_model * of_model * Belief::kSpread / (belief.weight + belief.prior);
    }
    return variance;
}

bool Gain::sure() const {
    return mean > 0 && mean > kNormal * error;
}

namespace {

double density(double z) {
    return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
}
double below(double z) {
    return std::erfc(-z / std::numbers::sqrt2) / 2;
}

}  // namespace

double Gain::likely() const {
    if (error <= 0) return mean > 0 ? 1 : mean < 0 ? 0 : 0.5;
    return below(mean / error);
}

double Gain::expected_loss() const {
    if (error <= 0) return std::max(0.0, -mean);
    const double z = mean / error;
    return error * density(z) - mean * below(-z);
}

// Of the mean of a month's difference, by batch means: the days in blocks of so many, each as if by itself.
static double variance_of_month(const std::vector<double>& one, const std::vector<double>& other, std::size_t block) {
    const auto blocks = std::min(one.size(), other.size()) / block;
    if (blocks < 2) return 0;
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < blocks; ++i) {
        double difference = 0;
        for (std::size_t day = i * block; day < (i + 1) * block; ++day) difference += one[day] - other[day];
        sum += difference;
        squares += difference * difference;
    }
    const auto n = static_cast<double>(blocks);
    const double of_block = std::max(0.0, (squares - sum * sum / n) / (n - 1));
    const double in_month =
        static_cast<double>(kMonthMs) / static_cast<double>(kLeastSpanMs) / static_cast<double>(block);
    return of_block / n * in_month * in_month;
}

Gain gain_of(const Situation& situation, const Evaluation& one, const Evaluation& other) {
    Gain gain;
    gain.mean = one.worth - other.worth;
    const auto months = static_cast<double>(kMonthMs) / static_cast<double>(std::max(one.span_ms, kLeastSpanMs));
    auto differing = one.loadings;
    for (const auto& [model, by_cell] : other.loadings)
        for (std::size_t cell = 0; cell < kCells; ++cell) differing[model][cell] -= by_cell[cell];
    const double value = one.mean_value * static_cast<double>(one.requests) * months;
    double variance = variance_of(situation.knowledge, differing) * value * value;
    // Weeks differ by more than their days do: projects and holidays last. Whichever says more counts.
    constexpr std::size_t kWeek = 7, kFewestWeeks = 4;
    double of_days = variance_of_month(one.daily, other.daily, 1);
    if (std::min(one.daily.size(), other.daily.size()) >= kFewestWeeks * kWeek)
        of_days = std::max(of_days, variance_of_month(one.daily, other.daily, kWeek));
    variance += of_days;
    const double hours = static_cast<double>((one.work - other.work).micros()) / 1e6 * situation.work_error;
    variance += hours * hours;
    // What is not in the formula (the router goes on learning, providers fail, other months bring other work) makes
    // gains miss the truth by more: measured, see docs/measurements.md, bench/owners.
    constexpr double kUnmodelled = 1.4;
    gain.error = kUnmodelled * std::sqrt(variance);
    return gain;
}

namespace {

Machine* machine_of(Combination& combination, const std::string& id) {
    const auto found =
        std::ranges::find_if(combination.machines, [&](const Machine& one) { return one.hardware.id == id; });
    return found == combination.machines.end() ? nullptr : &*found;
}

}  // namespace

// As many as there may be of each that is behind, and then, one kind after the other, the least that does: more
// machines never keep up worse.
std::optional<Combination> grown(Evaluator& evaluator, Combination combination) {
    auto first = combination;
    std::vector<std::string> raised;
    for (bool behind = true; behind;) {
        behind = false;
        for (const auto& station : evaluator.evaluate(combination).stations) {
            if (station.keeps_up) continue;
            auto* machine = machine_of(combination, station.machine);
            if (machine == nullptr) return std::nullopt;
            if (std::ranges::find(raised, station.machine) != raised.end()) {
                if (!behind) return std::nullopt;
                continue;
            }
            machine->count = kMostMachines;
            raised.push_back(station.machine);
            behind = true;
        }
    }
    for (const auto& id : raised) {
        auto* machine = machine_of(combination, id);
        int low = machine_of(first, id)->count, high = kMostMachines;
        while (low < high) {
            machine->count = (low + high) / 2;
            if (evaluator.evaluate(combination).keeps_up())
                high = machine->count;
            else
                low = machine->count + 1;
        }
        machine->count = high;
    }
    return combination;
}

std::string Change::text() const {
    switch (what) {
        case What::preset:
            return fmt::format("set policy.preset: {}", value);
        case What::auto_use:
            return fmt::format("keep {} out of what Tandem chooses from (models.{}.auto: {})", name, name, value);
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
    }
    return {};
}

}  // namespace tandem::advice
