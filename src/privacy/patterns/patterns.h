// The table of detectors. One entry is one detector: a pattern that finds candidates in one pass over all text, a check
// that decides on each candidate and says where it begins and ends, what it is, and examples that are its tests. A new
// detector is a new entry in the file of its family.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "config/category.h"
#include "privacy/patterns/context.h"

namespace tandem::privacy {

// What is found: the detector's id, its type as Presidio names it where it has one, and the owner's word for it.
struct Kind {
    std::string_view id;
    std::string_view type;
    config::Category category;
};

struct Candidate {
    std::string_view text;
    std::size_t begin;  // exact where the expression has one width, else `end` less its least width
    std::size_t end;    // one past the match's last byte
};

// Takes what checks find in one pass over one text.
class Sink {
  public:
    struct Hit {
        const Kind* kind;
        std::size_t begin, end;
        float score;  // 0 to 1: how sure
    };
    void add(const Kind& kind, std::size_t begin, std::size_t end, float score) {
        hits.push_back({&kind, begin, end, score});
    }
    std::vector<Hit> hits;
    Context context;
    // How far a family has read on already: candidates that end before are part of what it has seen.
    std::size_t numbers_read = 0;
    std::size_t wide_read = 0;  // numbers whose groups anything parts
    std::size_t assignments_read = 0;
    // Assignments' values, by what ends them: a stretch that has no end in it, and how many were judged in it.
    struct Unended {
        std::size_t from = 0, to = 0;
        unsigned judged = 0;
    };
    std::array<Unended, 4> values_read;
    std::size_t jwt_read = 0;
    std::size_t aws_read = 0;      // up to here marks were looked at that a secret of AWS may stand behind
    std::size_t aws_line_end = 0;  // and the last line's end among them
    struct Stretch {
        std::size_t from = 0, to = 0;
    };
    Stretch without_curl;            // no word `curl` begins in it, and no line ends
    std::size_t key_end_sought = 0;  // up to here there is no end of a private key
    std::size_t putty_end_sought = 0;
    std::size_t colons_read = 0;  // groups of hex digits and colons: each is looked at once
    std::size_t secret_read = 0;  // candidates up to here have the data that was told already
    std::size_t data_sought = 0;  // up to here no data of a Kubernetes secret begins
    // Up to here a token was read, how often one that begins in it, and whether it was taken.
    std::size_t token_read = 0;
    unsigned token_tries = 0;
    bool token_taken = false;
};

struct Pattern {
    Kind kind;
    const char* expression;  // Vectorscan's syntax; matched without start of match (HAZARDS.md 12), or by
                             // ClassScan (classes.h), which knows its id
    bool caseless;
    // Adds what it makes of the candidate; null: the expression is precise and of one width.
    void (*check)(const Kind& kind, const Candidate& candidate, Sink& sink);
    std::string_view match;     // must be found, by this detector
    std::string_view no_match;  // looks alike and must not be
};

// All patterns, family after family.
const std::vector<Pattern>& patterns();

// The families, each in its file. Private to patterns/.
std::span<const Pattern> credential_patterns();
std::span<const Pattern> assignment_patterns();
std::span<const Pattern> told_patterns();
std::span<const Pattern> personal_patterns();
std::span<const Pattern> number_patterns();

}  // namespace tandem::privacy
