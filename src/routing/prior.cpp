#include "routing/prior.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tandem::routing {

namespace {

constexpr double kWidth = 10;  // of the curve, in points of ability
constexpr double kLongPrompt = 4096, kPerDoubling = 4;

// Difficulty and what it demands, in straight lines between.
struct Point {
    double difficulty, demand;
};
constexpr std::array kDemand = {Point{0, -12}, Point{10, -12}, Point{20, 14},
                                Point{45, 39}, Point{60, 60},  Point{100, 74}};

}  // namespace

double demand_of(int difficulty, std::int64_t prompt_tokens) {
    const double d = std::clamp(difficulty, 0, 100);
    const auto* const end =
        std::ranges::find_if(kDemand.begin() + 1, kDemand.end(), [&](const Point& p) { return d <= p.difficulty; });
    const auto& from = *std::prev(end);
    const double demand =
        from.demand + (end->demand - from.demand) * (d - from.difficulty) / (end->difficulty - from.difficulty);
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
    const double above = kWidth * std::log(bounded / (1 - bounded));
    strength.ability = std::round(1e3 * (demand_of(kOrdinaryDifficulty, 0) + above)) / 1e3;
    strength.source = fmt::format("quality {} in tandem.yaml", quality);
    strength.known = true;
    return strength;
}

}  // namespace tandem::routing
