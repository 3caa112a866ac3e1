// What may be said of how often a model is right while it is still being asked.
//
// Both tools hold for whoever looks after every answer and stops when it is clear. Proportion: the interval is a
// confidence sequence, by the mixture of the likelihood over Beta(1/2, 1/2) (Robbins, "Statistical methods related to
// the law of the iterated logarithm", Annals of Mathematical Statistics 41, 1970, section 3; that it holds at all times
// is Ville's inequality). Sprt: the sequential probability ratio test (Wald, "Sequential tests of statistical
// hypotheses", Annals of Mathematical Statistics 16, 1945).
#pragma once

#include <cstdint>

namespace tandem::probe {

struct Interval {
    double low = 0, high = 1;
};

// The share of right answers.
class Proportion {
  public:
    static constexpr double kAlpha = 0.05;  // how often the interval may be wrong, ever

    void add(bool right) {
        ++asked_;
        right_ += right ? 1 : 0;
    }
    std::int64_t asked() const { return asked_; }
    std::int64_t right() const { return right_; }
    // 0 where nothing was asked.
    double share() const { return asked_ == 0 ? 0 : static_cast<double>(right_) / static_cast<double>(asked_); }
    // All shares that the answers so far do not refute.
    Interval interval() const;

  private:
    std::int64_t asked_ = 0, right_ = 0;
};

// Whether the share is `good` or more rather than `bad` or less. What lies between may be said to be either.
class Sprt {
  public:
    static constexpr double kError = 0.05;  // of each kind, at most about
    enum class Verdict { open, good, bad };

    // 0 < bad < good < 1.
    Sprt(double good, double bad);
    void add(bool right) { sum_ += right ? right_ : wrong_; }
    Verdict verdict() const;

  private:
    double right_, wrong_;  // what an answer adds to the logarithm of the ratio
    double sum_ = 0;
};

}  // namespace tandem::probe
