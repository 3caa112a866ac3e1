// What a usage costs by one entry of the book: a pure function of the buckets, the entry, and the circumstances that a
// response tells. Every rate comes from the entry's cards.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ledger/prices/book.h"

namespace tandem::prices {

struct Circumstances {
    std::int64_t time_ms = 0;       // of the request
    std::string service_tier = {};  // of the response, in the book's words; empty: standard
    std::string region = {};        // empty: wherever the provider likes
};

struct Line {
    Bucket bucket;
    std::int64_t count = 0;
    Amount rate;  // for units_of_rate(bucket)
    Amount cost;
};

struct Cost {
    // The sum of the lines, unrounded; nullopt where tokens have no rate at all, so that any number would be wrong.
    std::optional<Amount> amount;
    std::vector<Line> lines;
    // Something that was used has no rate, and is not in `amount`; a warning names it.
    bool incomplete = false;
    std::vector<std::string> warnings;
};

// The card that counts is that of the service tier, then of the length of the prompt, then of the region, then of the
// hour; a tier by length reprices the whole request. What that card has no rate for is taken from the next one, with a
// warning where that is tokens.
Cost cost_of(const Buckets& buckets, const Entry& entry, const Circumstances& circumstances);

// The most that cost_of() gives for so many tokens of text in any buckets: all of the prompt in the dearest one, all of
// the answer too. The provider's own count can be higher, so the card of a prompt that is a quarter longer counts as
// well where a price depends on the length.
// `an_hour`: it may also be written into a cache for an hour. `calls`: of tools that its provider runs, the dearest.
Amount most_cost_of(std::int64_t prompt, std::int64_t answer, const Entry& entry, const Circumstances& circumstances,
                    bool an_hour, int calls = 0);

}  // namespace tandem::prices
