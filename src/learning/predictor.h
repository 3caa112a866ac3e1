// How well one model will do, learned one outcome at a time: ridge regression on traits, solved by dual coordinate
// ascent (Shalev-Shwartz and Zhang 2013), over the newest outcomes. Deterministic: the same outcomes in the same order
// give the same numbers.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "learning/traits.h"

namespace tandem::learning {

struct Estimate {
    double mean = 0;       // of the outcome; 0 to 1
    double deviation = 0;  // how sure that is: one standard deviation, from the diagonal of the information alone
};

// What was learned, to predict with: a value, safe to share once it is made.
struct Learned {
    std::vector<float> coefficients;
    std::vector<float> information;  // weighted squares of the traits seen, one by one
    double bias = 0.5;
    double noise = 0;   // variance of what is not explained
    double weight = 0;  // of all outcomes
    double prior_weight = 2;

    Estimate predict(const Traits& traits) const;
    // The mean without its bounds, for an order.
    double score(const Traits& traits) const;
    // What a trait adds to the variance, by its square.
    float doubt_of(std::size_t trait) const;
};

// Not safe from two threads at once.
class Predictor {
  public:
    // `prior` is what is expected before anything is known (0: always wrong, 1: always right), and counts like
    // `prior_weight` outcomes.
    // Of its examples it keeps the newest that fit into `most_bytes`.
    explicit Predictor(double prior = 0.5, double prior_weight = 2, std::size_t most_bytes = kMostBytes);

    Estimate predict(const Traits& traits) const { return learned_.predict(traits); }
    double score(const Traits& traits) const { return learned_.score(traits); }
    const Learned& learned() const { return learned_; }

    // An outcome from 0 to 1; `weight` is what it counts beside others, above 0. About 0.2 ms at 1,000 outcomes.
    // `expected` is what was known of it otherwise (0 to 1): learned and predicted is the difference to it, -1 to 1.
    void learn(Traits traits, double outcome, double weight = 1, double expected = 0);
    // The same for many: add() each, then settle() once.
    void add(Traits traits, double outcome, double weight, double expected = 0);
    void settle();
    std::size_t outcomes() const { return examples_.size(); }
    std::size_t bytes() const { return bytes_; }  // of its examples

    static constexpr std::size_t kMostExamples = 2048;    // the oldest go
    static constexpr std::size_t kMostBytes = 8UL << 20;  // of the examples' traits; the oldest go
    static std::size_t bytes_of(const Traits& traits) { return traits.size() * sizeof(Traits::value_type) + 64; }

  private:
    struct Example {
        Traits traits;
        double outcome, weight, expected;
        double square;     // of the traits' length
        double share = 0;  // of the coefficients: the dual variable
    };
    void sweep();
    void drop_oldest();
    void note_noise();
    // The square of what would be predicted wrong.
    double missed(const Traits& traits, double outcome, double expected) const;

    const double prior_, prior_weight_;
    const std::size_t most_bytes_;
    std::deque<Example> examples_;
    std::size_t bytes_ = 0;
    Learned learned_;
    double errors_ = 0;  // weighted squares of what was wrong when it was learned
};

}  // namespace tandem::learning
