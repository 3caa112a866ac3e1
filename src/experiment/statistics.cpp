#include "experiment/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace tandem::experiment {

MeanSequence::MeanSequence(double alpha, double tightest)
    : alpha_(alpha),
      // The paper's equation for the rho that is best at one time.
      rho_squared_((-2 * std::log(alpha) + std::log(-2 * std::log(alpha) + 1)) / tightest) {}

void MeanSequence::add(double value) {
    ++count_;
    const double before = value - mean_;
    mean_ += before / static_cast<double>(count_);
    squares_ += before * (value - mean_);
}

double MeanSequence::variance() const {
    return count_ < 2 ? 0 : squares_ / (static_cast<double>(count_) - 1);
}

Interval MeanSequence::interval(double least_variance) const {
    constexpr double kWide = std::numeric_limits<double>::infinity();
    if (count_ < 2) return {mean_, -kWide, kWide};
    const auto n = static_cast<double>(count_);
    const double deviation = std::sqrt(std::max(variance(), least_variance));
    const double spread = n * rho_squared_ + 1;
    const double half =
        deviation * std::sqrt(2 * spread / (n * n * rho_squared_) * std::log(std::sqrt(spread) / alpha_));
    return {mean_, mean_ - half, mean_ + half};
}

void Effect::add(bool treatment, double value) {
    // Each sample is scored by what was known before it: the difference of the means so far, and its own residual
    // weighted by how likely its arm was (augmented inverse propensity weighting).
    const double expected = arms_[1].mean - arms_[0].mean;
    auto& arm = arms_[treatment ? 1 : 0];
    const double residual = value - arm.mean;
    scores_.add(expected + (treatment ? residual / share_ : -residual / (1 - share_)));
    all_.add(value);
    ++arm.count;
    arm.mean += (value - arm.mean) / static_cast<double>(arm.count);
}

// An arm in which nothing rare has happened yet looks as if it could not: where the arms are alike, which is what is
// doubted, each spreads as all values together do.
Interval Effect::interval() const {
    return scores_.interval(all_.variance() * (1 / share_ + 1 / (1 - share_)));
}

std::optional<double> kappa(const std::vector<std::pair<int, int>>& verdicts) {
    if (verdicts.empty()) return {};
    const auto n = static_cast<double>(verdicts.size());
    double agree = 0;
    std::map<int, std::array<double, 2>> said;
    for (const auto& [one, other] : verdicts) {
        agree += one == other ? 1 : 0;
        ++said[one][0];
        ++said[other][1];
    }
    double by_chance = 0;
    for (const auto& [verdict, counts] : said) by_chance += counts[0] / n * (counts[1] / n);
    if (by_chance >= 1) return {};
    return (agree / n - by_chance) / (1 - by_chance);
}

}  // namespace tandem::experiment
