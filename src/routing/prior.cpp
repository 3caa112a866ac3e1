#include "routing/prior.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tandem::routing {

namespace {

constexpr double kWidth = 10;                     // of the curve, in points of ability
constexpr double kTrivial = 10, kLight = 20;      // up to here work is trivial; from here demand is difficulty
constexpr double kOfTrivial = -12;                // what trivial work demands
constexpr double kHard = 60, kBeyondHard = 0.35;  // what each point beyond hard adds
constexpr double kLongPrompt = 4096, kPerDoubling = 4;

}  // namespace

double demand_of(int difficulty, std::int64_t prompt_tokens) {
    const double d = std::clamp(difficulty, 0, 100);
    double demand = d;
    if (d <= kTrivial)
        demand = kOfTrivial;
    else if (d < kLight)
        demand = kOfTrivial + (kLight - kOfTrivial) * (d - kTrivial) / (kLight - kTrivial);
    else if (d > kHard)
        demand = kHard + kBeyondHard * (d - kHard);
    const double longer = static_cast<double>(prompt_tokens) / kLongPrompt;
    return longer > 1 ? demand + kPerDoubling * std::log2(longer) : demand;
}

double expected_quality(const Strength& strength, const Work& work, std::int64_t prompt_tokens) {
    const double of_kind = work.sure * strength.by_kind[static_cast<std::size_t>(work.kind)];
    const double above = strength.ability + of_kind - demand_of(work.difficulty, prompt_tokens);
    return std::round(1e4 / (1 + std::exp(-above / kWidth))) / 1e4;
}

std::optional<double> expected_of(const Expectations& expectations, std::string_view model) {
    const auto found = std::ranges::find(expectations, model, &Expectations::value_type::first);
    if (found == expectations.end()) return std::nullopt;
    return found->second;
}

Strength strength_by_quality(double quality) {
    constexpr double kLeast = 0.01;  // nobody is always right, or never
    const double bounded = std::clamp(quality, kLeast, 1 - kLeast);
    Strength strength;
    strength.ability = std::round(kOrdinaryDifficulty * 1e3 + 1e3 * kWidth * std::log(bounded / (1 - bounded))) / 1e3;
    strength.source = fmt::format("quality {} in tandem.yaml", quality);
    strength.known = true;
    return strength;
}

}  // namespace tandem::routing
