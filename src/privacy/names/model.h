// Which tokens are names: a linear model over features.h, whose weights are in weights.h. Private to names/.
#pragma once

#include <vector>

#include "privacy/names/features.h"

namespace tandem::privacy {

// How well each tag fits a token, in the unit of the weights.
inline constexpr float kCertain = 150;  // so much better is as sure as the model gets
using Fit = std::array<std::int32_t, kTags>;

// What the model says of tokens one after the other: the best sequence of tags (Viterbi), and each token's fit.
struct Reading {
    std::vector<Tag> tags;
    std::vector<Fit> fits;
};
void read_names(std::span<const Token> tokens, const Zone& zone, Reading& reading);

// The best sequence for given fits. transitions[a][b]: from tag a to tag b; a == kTags: at the beginning.
using Transitions = std::array<Fit, kTags + 1>;
void best_tags(std::span<const Fit> fits, const Transitions& transitions, std::vector<Tag>& tags);

// A name: tokens [begin, end) of one tag without what joins at its ends.
struct Name {
    std::size_t begin, end;
    Tag tag;
};
void each_name(std::span<const Token> tokens, const Zone& zone, std::span<const Tag> tags, std::vector<Name>& names);

}  // namespace tandem::privacy
