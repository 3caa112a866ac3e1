// Which of some settings is the fastest on a machine that is never quiet. Settings race against the ones in use: all of
// them run once in each round, so that what disturbs the machine disturbs them alike, and what is compared is the ratio
// of their times within rounds. One that is clearly slower leaves the race. What a race says is an interval; no single
// run decides anything. Pure: who runs them is a Track.
//
// Sources: races (Maron and Moore, "Hoeffding Races", 1994; Birattari et al., "A Racing Algorithm for Configuring
// Metaheuristics", 2002); the interval of a trimmed mean (Yuen, "The two-sample trimmed t for unequal population
// variances", 1974), so that one run that was disturbed decides nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace tandem::engine::tune {

// For each knob (knobs.h) the index of its value.
using Choices = std::vector<std::size_t>;

// A ratio of two times, as so many rounds showed it: 0.8 is a fifth less time.
struct Ratio {
    double mean = 1;           // geometric, trimmed
    double low = 0, high = 0;  // of 95 %; `high` 0: there are fewer than two rounds
    int rounds = 0;

    bool known() const { return high > 0; }
    // Sure to be less time, and that share of it at least.
    bool is_better(double gain) const;
    // Likely to be: by the interval of 85 %. Enough to go on with in a search whose outcome is proved apart.
    bool is_likely_better(double gain) const;
};

inline constexpr double kLeastGain = 0.02;  // of the time: less is not worth a change of the config
inline constexpr double kLeastStep = 0.01;  // of one knob: small ones add up, and the proof judges their sum
inline constexpr int kFewestRounds = 3, kMostRounds = 12;
inline constexpr double kHopeless = 1.3;  // in two rounds so many times the time in use: no third one

// Of the logarithms of the ratios of each round. A fifth of them is left out at either end.
Ratio ratio_of(std::span<const double> logarithms);

class Track {
  public:
    virtual ~Track() = default;
    // One run of the work, the same one for all in a round. Gives its seconds. Errors: it does not start, or ended, or
    // its answers are none.
    virtual Result<double> run(const Choices& choices, int round) = 0;
    // How many settings can be loaded at once: at least one.
    virtual std::size_t room() const = 0;
    // These may be unloaded: nobody runs them soon.
    virtual void leave(const Choices& choices) = 0;
    // Whether there is time for so many seconds more. False for ever once somebody wants the end.
    virtual bool has_time(double seconds) const = 0;
};

struct Raced {
    Choices choices;
    Ratio ratio;       // of its time to that of the one in use
    std::string left;  // why it left the race; empty: it stayed to the end
};

struct RaceEnd {
    std::vector<Raced> all;
    double seconds = 0;  // of a run of the one in use, the mean
    bool out_of_time = false;
    std::string broken;  // why the one in use does not run; empty: it does
};

// Races `others` against `in_use`, as many at once as there is room for.
RaceEnd race(Track& track, const Choices& in_use, const std::vector<Choices>& others);

// So many rounds of both and no decision in between. Fewer where time or one of them ends.
Ratio compared(Track& track, const Choices& before, const Choices& after, int rounds);

}  // namespace tandem::engine::tune
