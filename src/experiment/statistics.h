// What may be said of a difference while it is still being measured.
//
// Confidence sequences: intervals that hold at all times at once, so that whoever looks after every sample, and stops
// when he likes what he sees, is wrong no more often than he was told. Asymptotic ones, after Waudby-Smith, Arbour,
// Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences" (Annals of
// Statistics 52, 2024), theorem 2.2; the effect of a random assignment by its section 3.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace tandem::experiment {

struct Interval {
    double mean = 0;
    double low = 0, high = 0;
    bool excludes_zero() const { return low > 0 || high < 0; }
};

// The mean of numbers that come one by one.
class MeanSequence {
  public:
    // `alpha`: how often it may be wrong, ever. `tightest`: after how many samples it shall be tightest.
    explicit MeanSequence(double alpha = 0.05, double tightest = 200);
    void add(double value);
    std::size_t count() const { return count_; }
    double mean() const { return mean_; }
    double variance() const;
    // Wide open before there are two samples. `least_variance`: what the samples are known to spread by at least.
    Interval interval(double least_variance = 0) const;

  private:
    double alpha_, rho_squared_;
    std::size_t count_ = 0;
    double mean_ = 0, squares_ = 0;  // Welford 1962
};

// How much more the treatment has than the control, of units that were assigned at random with the same probability.
class Effect {
  public:
    // `share`: the probability of the treatment, above 0 and below 1.
    explicit Effect(double share, double alpha = 0.05) : share_(share), scores_(alpha) {}
    void add(bool treatment, double value);
    std::size_t count(bool treatment) const { return arms_[treatment ? 1 : 0].count; }
    double mean(bool treatment) const { return arms_[treatment ? 1 : 0].mean; }
    Interval interval() const;

  private:
    struct Arm {
        std::size_t count = 0;
        double mean = 0;
    };
    double share_;
    std::array<Arm, 2> arms_;
    MeanSequence scores_;
    MeanSequence all_;  // the values as they are
};

// How far two who sort the same things agree beyond chance, at most 1 (Cohen 1960). Nullopt for no things, and where
// both always say the same one word, since then there is no chance to agree beyond.
std::optional<double> kappa(const std::vector<std::pair<int, int>>& verdicts);

}  // namespace tandem::experiment
