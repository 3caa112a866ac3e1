// The search for faster settings: knob by knob a race against what was found so far, then a comparison of the outcome
// with what was in use before, in rounds that the search has not seen. Only that last comparison counts: what won a
// race was chosen for having won, and looks better than it is. Pure: who runs settings is a Track.
#pragma once

#include <functional>

#include "engine/tune/race.h"

namespace tandem::engine::tune {

struct SearchSpace {
    Choices start;                    // what is in use
    std::vector<std::size_t> values;  // how many each knob has
    // Why these settings cannot be, without running them; empty: they can. Called often.
    std::function<std::string(const Choices&)> impossible;
    // Why they may not be, as their answers show; empty: they may. `whole`: at length, before they are proposed. Takes
    // seconds.
    std::function<std::string(const Choices&, bool whole)> refused;
    // Whether the answers are compared before the race and not after it: where a knob is known to change them.
    std::function<bool(std::size_t knob)> suspected = [](std::size_t) { return false; };
    // Seconds that refused() takes at length; that much is kept for it.
    std::function<double()> answers_seconds = [] { return 0.0; };
    // Told of each race before and after it.
    std::function<void(std::size_t knob, std::size_t others)> begins = [](std::size_t, std::size_t) {};
    std::function<void(std::size_t knob, const RaceEnd&, const Choices& now)> told = [](std::size_t, const RaceEnd&,
                                                                                        const Choices&) {};
};

inline constexpr int kProofRounds = 8, kFewestProofRounds = 4;

struct SearchStep {
    std::size_t knob = 0;
    RaceEnd race;
    Choices after;  // what the search went on with
};

struct Found {
    Choices best;  // `start` where nothing better was found
    Ratio ratio;   // of its time to that of `start`, in rounds of their own
    bool is_better = false;
    bool out_of_time = false;
    std::string why;     // where nothing is proposed: why not
    std::string broken;  // why what is in use does not run
    std::vector<SearchStep> steps;
};

Found search(Track& track, const SearchSpace& space);

}  // namespace tandem::engine::tune
