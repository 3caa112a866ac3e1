// How another policy would have done, judged by what one policy has tried and recorded with which probability.
#pragma once

#include <cstddef>
#include <vector>

namespace tandem::learning {

// One decision whose outcome is known.
struct Logged {
    double propensity = 1;       // with which its choice was made; above 0
    double target = 0;           // with which the other policy makes the same choice
    double outcome = 0;          // 0 to 1
    double expected = 0;         // of the choice that was made, by a model of outcomes
    double expected_target = 0;  // by the same model, of what the other policy chooses, by its probabilities
};

struct OffPolicy {
    std::size_t decisions = 0;
    // Doubly robust (Dudik, Langford and Li 2011): right where either the propensities or the model of outcomes are.
    double mean = 0;
    double low = 0, high = 0;  // 95 %, by the normal approximation
    double ips = 0;            // inverse propensity, self-normalised (Swaminathan and Joachims 2015)
    double effective = 0;      // how many decisions the weights are worth: (sum w)^2 / sum w^2 (Kish 1965)
    // The other policy does what was hardly ever tried: the estimate leans on the model of outcomes alone.
    bool thin = false;
};

OffPolicy estimate(const std::vector<Logged>& log);

}  // namespace tandem::learning
