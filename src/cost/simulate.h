// What follows from ranges: the probability that a machine pays within its life, and which range it hinges on.
#pragma once

#include "cost/model.h"

namespace tandem::cost {

inline constexpr int kMostDraws = 10'000'000;

// A value of the triangular distribution for `u` from 0 to 1, by the inverse of its distribution function
// (Kotz and van Dorp 2004, section 1.3).
double triangular(double low, double likely, double high, double u);

// Seeded Monte Carlo in doubles: each draw takes each range on its own. The same seed gives the same numbers, and a
// range that several options share takes the same values in each of them.
struct Simulation {
    int draws = 0;
    std::uint64_t seed = 0;
    double probability = 0;                         // that it has paid at the end of its horizon
    double standard_error = 0;                      // of the probability: sqrt(p (1 - p) / draws)
    std::array<std::optional<int>, 3> months = {};  // at 10, 50 and 90 % of all draws; none: not within the horizon
    std::array<double, 3> gain = {};                // the same of Payback::gain
    double mean_gain = 0;
};

Simulation simulate(const Option& option, int draws, std::uint64_t seed);

// What comes when one range takes its ends and the others stay where they are likely. Largest swing of the gain first.
struct Bar {
    Field field = Field::count;
    Range range;
    Payback<Exact> at_low, at_high;
    Exact swing;  // |gain at high - gain at low|
};

std::vector<Bar> tornado(const Option& option);

}  // namespace tandem::cost
