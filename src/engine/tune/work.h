// The work that tuning measures, and the texts by which it sees that answers are the same: of Tandem's own making, so
// that no request of a client is used. Pure.
//
// The texts do not repeat themselves, and answers are drawn at a usual temperature: speculation from n-grams would
// otherwise look better than it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tandem::engine::tune {

using Tokens = std::vector<std::int64_t>;

// Tokens of a request.
struct Amount {
    std::int64_t prompt = 0, answer = 0;
};
inline constexpr Amount kUsualAmount{1024, 128}, kAmountOfMany{512, 64};  // alone, and of each of many at once
inline constexpr Amount kLeastAmount{64, 16};

// Prose of about so many words, the same for the same `seed`.
std::string prose(std::uint64_t seed, std::size_t words);

// What ends a prompt, so that the model has something to say: another kind of work in each round.
std::vector<std::string> endings();

// The requests of a round, each with a text that no other has: bodies for /completion. `text`: tokens of prose, longer
// than a prompt.
std::vector<std::string> requests(const Tokens& text, const std::vector<Tokens>& endings, Amount amount, int round,
                                  int count);

// A body for /completion whose answer says how likely the next token is: of the first `length` tokens.
std::string next_token_request(const Tokens& text, std::size_t length);

}  // namespace tandem::engine::tune
