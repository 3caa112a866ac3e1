// How well one model will do, learned one outcome at a time: ridge regression on traits, solved by dual coordinate
// ascent (Shalev-Shwartz and Zhang 2013), over the newest outcomes. Deterministic: the same outcomes in the same order
// give the same numbers. Not safe from two threads at once.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "routing/traits.h"

namespace tandem::routing {

class Predictor {
  public:
    // `prior` is what is expected before anything is known (0: always wrong, 1: always right), and counts like
    // `prior_weight` outcomes.
    explicit Predictor(double prior = 0.5, double prior_weight = 2);

    struct Estimate {
        double mean = 0;       // of the outcome; 0 to 1
        double deviation = 0;  // how sure that is: one standard deviation, from the diagonal of the information alone
    };
    Estimate predict(const Traits& traits) const;
    // The mean without its bounds, for an order.
    double score(const Traits& traits) const;

    // An outcome from 0 to 1; `weight` is what it counts beside others, above 0. About 0.2 ms at 1,000 outcomes.
    void learn(Traits traits, double outcome, double weight = 1);
    std::size_t outcomes() const { return examples_.size(); }

    static constexpr std::size_t kMostExamples = 4096;  // the oldest go

  private:
    struct Example {
        Traits traits;
        double outcome, weight;
        double square;     // of the traits' length
        double share = 0;  // of the coefficients: the dual variable
    };
    void sweep();

    const double prior_, prior_weight_;
    std::deque<Example> examples_;
    std::vector<float> coefficients_;
    std::vector<float> information_;  // weighted squares of the traits seen, one by one
    double bias_;
    double weight_ = 0;
    double errors_ = 0;  // weighted squares of what was wrong when it was learned
};

}  // namespace tandem::routing
