// Private to reconcile: what both sides of a comparison have at one place.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/text.h"
#include "ledger/reports/reconcile.h"

namespace tandem::ledger::reports {

using prices::Amount;

inline Amount minus(Amount a, Amount b) {
    return a + Amount::from_atto(-b.atto());
}

// As far as `limit` reaches, in either direction.
inline Amount within(Amount amount, Amount limit) {
    return Amount::from_atto(std::clamp(amount.atto(), -limit.atto(), limit.atto()));
}

using Place = std::tuple<std::int64_t, std::string, std::string>;  // day, plain model, key

// What both sides have at one place.
struct Both {
    std::string model;  // to show
    Side theirs, ours;
    std::map<std::string, Volume> theirs_by_tier;
    struct OurTier {
        std::string tier, model, key;  // as the price is asked for
        Usage usage;
    };
    std::vector<OurTier> ours_by_tier;
    Amount no_tokens;   // of theirs
    Amount our_fees;    // of these, what ours were booked at
    Amount fees_given;  // of ours here, the fees that stand at the places of theirs
    std::vector<std::string> items;
    Amount cancelled, estimated;  // what ours of these cost
    std::int64_t cancelled_attempts = 0, estimated_attempts = 0, unpriced = 0, attempts = 0;
};

// Half a micro-unit for each attempt: what rounding can come to.
inline Amount rounding_of(const Both& both) {
    return Amount::from_atto(Amount::Atto(500'000'000'000) * both.attempts);
}

inline std::string tiers_text(const Both& both) {
    const auto shown = [](const std::string& tier) { return tier.empty() ? std::string("standard") : tier; };
    std::set<std::string> theirs, ours;
    for (const auto& [tier, usage] : both.theirs_by_tier) theirs.insert(shown(tier));
    for (const auto& one : both.ours_by_tier) ours.insert(shown(one.tier));
    return fmt::format("served there as {}, booked here as {}", join(std::vector(theirs.begin(), theirs.end()), ", "),
                       join(std::vector(ours.begin(), ours.end()), ", "));
}

// How much of what was written to a cache is kept for an hour is not in the sums here: as much as there.
inline Volume of_ours(const Both& both, const Usage& usage) {
    std::int64_t hour = 0;
    for (const auto& [tier, volume] : both.theirs_by_tier) hour += volume.cache_write_hour;
    const auto whole = both.theirs.usage.cache_write.count;
    if (hour <= 0 || whole <= 0) return {usage};
    return {usage, static_cast<std::int64_t>(static_cast<__int128>(usage.cache_write.count) * hour / whole)};
}

}  // namespace tandem::ledger::reports
