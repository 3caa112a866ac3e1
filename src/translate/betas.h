// What a client of Anthropic's dialect says in `anthropic-beta`: the one header that is handed on. Private to gateway/.
#pragma once

#include <string>
#include <string_view>

#include "net/message.h"

namespace tandem::translate {

inline constexpr std::size_t kMostBetas = 32;    // handed on with one request
inline constexpr std::size_t kLongestBeta = 64;  // bytes

struct Betas {
    std::string known;         // those that look like a beta, each once, separated by commas
    std::string said;          // all of the header's text, and once more with blanks for hyphens, for the detectors
    std::size_t left_out = 0;  // how many do not look like one, or are too many
};
Betas betas_of(const net::Fields& headers);

// Whether a name has the shape of a beta: lower-case words, or numbers of at most four digits with a letter behind them
// ("1m"), four digits in all, then a date, by hyphens: "context-1m-2025-08-07", "claude-code-20250219".
bool is_beta(std::string_view name);

}  // namespace tandem::translate
