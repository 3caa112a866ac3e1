#include "probe/evidence.h"

#include <cmath>

namespace tandem::probe {

namespace {

constexpr int kHalvings = 40;  // of the range in which an end of the interval is looked for

double log_beta(double a, double b) {
    return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
}

// x log p, where 0 log 0 is 0.
double times_log(double x, double p) {
    return x == 0 ? 0 : x * std::log(p);
}

// Where `refuted` changes, between a share that is refuted and one that is not.
template <typename Refuted>
double edge(double refuted_one, double other, Refuted refuted) {
    for (int i = 0; i < kHalvings; ++i) {
        const double middle = (refuted_one + other) / 2;
        (refuted(middle) ? refuted_one : other) = middle;
    }
    return other;
}

}  // namespace

Interval Proportion::interval() const {
    if (asked_ == 0) return {};
    const auto right = static_cast<double>(right_), wrong = static_cast<double>(asked_ - right_);
    const double mixture = log_beta(right + 0.5, wrong + 0.5) - log_beta(0.5, 0.5);
    const auto refuted = [&](double p) {
        return mixture - times_log(right, p) - times_log(wrong, 1 - p) >= -std::log(kAlpha);
    };
    Interval interval;
    if (right > 0) interval.low = edge(0.0, share(), refuted);
    if (wrong > 0) interval.high = edge(1.0, share(), refuted);
    return interval;
}

Sprt::Sprt(double good, double bad) : right_(std::log(good / bad)), wrong_(std::log((1 - good) / (1 - bad))) {}

Sprt::Verdict Sprt::verdict() const {
    static const double kBound = std::log((1 - kError) / kError);
    if (sum_ >= kBound) return Verdict::good;
    return sum_ <= -kBound ? Verdict::bad : Verdict::open;
}

}  // namespace tandem::probe
