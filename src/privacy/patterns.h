// The table of detectors. One entry is one detector: a pattern that finds candidates in one pass over all text, a check
// that decides on each candidate, what it is, and examples that are its tests. A new detector is a new entry.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace tandem::privacy {

enum class Finds { credential, card, iban, email };

struct Pattern {
    std::string_view id;
    Finds finds;
    const char* expression;  // Vectorscan's syntax; matched without start of match (HAZARDS.md 12)
    bool caseless;
    // Decides on the candidate that ends at `end` (one past its last byte); null: the expression is precise.
    bool (*check)(std::string_view text, std::size_t end);
    std::string_view match;     // must be found
    std::string_view no_match;  // looks alike and must not be
};

std::span<const Pattern> patterns();

}  // namespace tandem::privacy
