// A provider's report against the ledger: by UTC day, model and API key, what differs and why. Daily sums are compared;
// requests are never matched with each other. Pure.
//
// A difference in cost is the sum of its causes, exactly:
//   price       the same tokens cost another amount there than by the price here
//   tier        the provider served them at another service tier than is booked here
//   cancelled   attempts here that were cancelled, cut or lost, whose usage is an estimate: as far as it can be that
//   estimated   other attempts here whose usage is an estimate: as far as it can be that
//   not_ours    the provider counts more than the ledger has: traffic that did not come through here
//   not_theirs  the ledger has more than the provider counts: its report is not complete, or is of another account
//   no_tokens   fees for what is no tokens (searches, storage), which the report has on lines of their own, less what
//               attempts here were booked at beyond the price of their tokens
//   rounding    an attempt is booked in whole micro-units: half of one for each
//   unexplained without a usage report, or a price: what cannot be told apart
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ledger/reports/rollup.h"
#include "ledger/reports/theirs.h"

namespace tandem::ledger::reports {

enum class Cause : std::uint8_t {
    price,
    tier,
    cancelled,
    estimated,
    not_ours,
    not_theirs,
    no_tokens,
    rounding,
    unexplained,
};
inline constexpr std::array<std::string_view, 9> kCauseNames = {
    "price", "tier", "cancelled", "estimated", "not_ours", "not_theirs", "no_tokens", "rounding", "unexplained"};

// One kind of attempts of one day here.
struct OurLine {
    std::int64_t day = 0;
    std::string model;  // as its provider calls it
    std::string key;    // the provider of tandem.yaml that it went to, which has one API key
    std::string price;  // what PriceOf knows its model as
    Kind kind;
    Sums sums;
};

// Tokens, and how many of those that were written to a cache are kept for an hour.
struct Volume {
    Usage usage;
    std::int64_t cache_write_hour = 0;
    Volume operator+(const Volume& other) const {
        return {usage + other.usage, cache_write_hour + other.cache_write_hour};
    }
};

// What so many tokens cost by the price here; nullopt where it is not known. `model` is an OurLine's `price`, or a name
// of the provider's where there is none; `tier` is in the book's words.
using PriceOf = std::function<std::optional<prices::Amount>(
    const std::string& key, const std::string& model, const std::string& tier, const Volume& volume, std::int64_t day)>;

struct Side {
    std::optional<std::int64_t> requests;
    Usage usage;
    bool has_usage = false;
    std::optional<prices::Amount> cost;
};

struct Reason {
    Cause cause = Cause::unexplained;
    prices::Amount amount;  // of the difference; 0 where only tokens differ
    std::string text;
};

struct Difference {
    std::int64_t day = 0;
    std::string model, key;  // empty: the report is not by that
    Side theirs, ours;
    // theirs - ours: of the costs; of the tokens by the price here where there are no costs; else 0.
    prices::Amount amount;
    bool by_price = false;  // `amount` is of the tokens
    std::vector<Reason> reasons;
    bool same() const { return reasons.empty(); }
};

struct Reconciled {
    std::string provider;
    std::int64_t first_day = 0, last_day = 0;
    std::vector<Difference> rows;  // by day, model, key
    prices::Amount theirs, ours, difference;
    std::array<prices::Amount, kCauseNames.size()> causes{};
    std::vector<std::string> notes;
};

struct Matching {
    // Ids of the provider's API keys, with the provider of tandem.yaml that uses each. Empty: all keys count together.
    std::map<std::string, std::string, std::less<>> keys;
};

Reconciled reconcile(const Theirs& theirs, const std::vector<OurLine>& ours, const Matching& matching,
                     const PriceOf& price);

std::string as_text(const Reconciled& result, std::string_view currency, bool all);
std::string as_json(const Reconciled& result, std::string_view currency);

}  // namespace tandem::ledger::reports
