// Whether an engine still says the same with other settings: answers at temperature 0, tool calls, and how likely it
// holds each next token to be, which shows what no single answer does. Pure.
//
// A setting may move a number by a rounding, and then two words that are equally likely change places: so one answer
// of several may differ in its words, and the bounds of the divergence are far above what roundings do and below what a
// cache of 4 bits does (docs/concepts/tuning.md has what was measured).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace tandem::engine::tune {

// The likeliest next tokens with the logarithms of their probabilities.
using Likely = std::map<std::int64_t, double>;

// Of the answer to next_token_request(). Errors: invalid, where it has none.
Result<Likely> likely_of(std::string_view answer);

// Kullback-Leibler divergence of the next token, in nats: of the tokens that `one` names and of all others together. A
// token that `other` does not name counts as its least likely one, so what is far apart is counted too small, never 0.
double divergence(const Likely& one, const Likely& other);

struct Answered {
    std::string id, text, calls;  // `calls`: names and arguments as they were written; empty: none
    bool right = false;
};

// What one setting said to the fixed questions and texts.
struct Sayings {
    std::vector<Answered> answers;
    std::vector<Likely> near;  // after each of some places of a short text
    std::vector<Likely> far;   // the same in a long one; empty: it was not asked
};

inline constexpr double kMostMeanDivergence = 0.01, kMostDivergence = 0.1;  // nats
inline constexpr std::size_t kMostChanged = 1;                              // answers that may be worded otherwise

// Why `after` does not count as the same; empty: it does.
std::string what_changed(const Sayings& before, const Sayings& after);

// Of all places of both, in nats.
double mean_divergence(const Sayings& before, const Sayings& after);

}  // namespace tandem::engine::tune
