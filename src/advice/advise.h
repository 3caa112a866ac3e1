// The few best combinations for the work on record: what changes, what a month costs now and then, how good, how
// private, how fast, how many hours, why, and what would settle what is not known. Pure.
//
// Promises: nothing is proposed that leaves a request unanswered which is answered now, or a private one less at home;
// rules that the owner wrote are not replaced; machines to buy are only those that the owner named. Where nothing is
// likely better, the answer is to change nothing; where the best is not sure, the answer says so, and what would tell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "advice/evaluate.h"
#include "advice/profile.h"

namespace tandem::advice {

// A cheap look at what is not known: a command that there is.
struct Experiment {
    std::string why;
    std::string command;
};

struct Proposal {
    int number = 0;  // from 1, of those that are shown; 0: dominated, or not offered
    Combination combination;
    Evaluation evaluation;
    Gain gain;  // over changing nothing
    // Numbers of those shown that what is on record does not tell it apart from; 0: changing nothing.
    std::vector<int> ties;
    bool dominated = false;
    std::string refused;  // why it is not offered though it may look good; empty: it is
    std::vector<std::string> reasons;
    std::vector<std::string> doubts;
    std::vector<Experiment> experiments;
};

struct Advice {
    std::optional<Evaluation> recorded;  // as the ledger has it; none of a profile
    Evaluation now;                      // the same config, as it is evaluated: what proposals are compared with
    std::vector<Proposal> proposals;     // offered first, by what they are worth; then the others
    // The number of the one that is expected to be worth most, where it is likelier better than changing nothing than
    // not by kLikely; 0: change nothing. Whether that is beyond doubt: `sure`.
    int best = 0;
    bool sure = false;
    std::string verdict;                    // one sentence
    std::vector<std::string> housekeeping;  // keys to merge and such, which cost nothing
    std::vector<std::string> notes;
};

inline constexpr int kMostProposals = 5;
// Doing what is expected to be worth most loses least on average, also where it is not sure; a change is work, so it
// has to be three times of five better than none.
inline constexpr double kLikely = 0.6;

// Every combination that is looked at: presets, models left out or added, machines sold or bought.
std::vector<Combination> candidates_of(const Situation& situation, const config::Config& config,
                                       const std::vector<Offer>& offers);
// Why a combination is not offered though it may look good: it answers less, keeps less at home, is slower than it can
// be served, or needs clients to change. Empty: it may be.
std::string refusal_of(const Evaluation& now, const Evaluation& then);
// Marks those that another one, or `now`, beats in cost, quality and latency, or equals in all and beats in one.
void mark_dominated(const Evaluation& now, std::vector<Proposal>& proposals);

// Words for what an evaluation gives over another one, what is not known, and what would settle it.
void explain(const Situation& situation, const config::Config& config, const Evaluation& now, Proposal& proposal);
// What costs nothing: keys that have the same rights and ask for the same work, models that nobody asks.
std::vector<std::string> housekeeping(const Situation& situation, const config::Config& config);

Advice advise(const Situation& situation, const config::Config& config, const std::vector<Offer>& offers);

std::string as_text(const Situation& situation, const Advice& advice, bool all);
std::string as_json(const Situation& situation, const Advice& advice, bool all);
// One page with the front as a picture (SVG) and a table beside it; readable in dark and light.
std::string as_html(const Situation& situation, const Advice& advice, bool all);

}  // namespace tandem::advice
