#include "learning/offpolicy.h"

#include <algorithm>
#include <cmath>

namespace tandem::learning {

OffPolicy estimate(const std::vector<Logged>& log) {
    constexpr double kNormal = 1.96;
    constexpr double kFewest = 30, kShare = 0.1;
    // Where all that the other policy does was tried, weights are 1 in the mean.
    constexpr double kCovered = 0.8;
    OffPolicy result;
    result.decisions = log.size();
    if (log.empty()) {
        result.thin = true;
        return result;
    }
    const auto n = static_cast<double>(log.size());
    double weights = 0, squares = 0, weighted = 0, sum = 0, sum_squares = 0;
    for (const auto& one : log) {
        const double weight = one.target / one.propensity;
        const double value = one.expected_target + weight * (one.outcome - one.expected);
        weights += weight;
        squares += weight * weight;
        weighted += weight * one.outcome;
        sum += value;
        sum_squares += value * value;
    }
    result.mean = sum / n;
    const double variance = n > 1 ? std::max(0.0, (sum_squares - sum * sum / n) / (n - 1)) : 1;
    const double half = kNormal * std::sqrt(variance / n);
    result.low = std::clamp(result.mean - half, 0.0, 1.0);
    result.high = std::clamp(result.mean + half, 0.0, 1.0);
    result.mean = std::clamp(result.mean, 0.0, 1.0);
    result.ips = weights > 0 ? weighted / weights : 0;
    result.effective = squares > 0 ? weights * weights / squares : 0;
    result.thin = result.effective < kFewest || result.effective < kShare * n || weights < kCovered * n;
    return result;
}

}  // namespace tandem::learning
