// Prices attempts anew, from what their rows kept of their usage, after a price was wrong. What they were booked at
// before stays on record (corrected_attempts, corrected_days), and their day's and month's sums change in the same
// commit. Providers' charges are never touched.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ledger/bill.h"
#include "ledger/reports/rollup.h"

namespace tandem::ledger::reports {

// What a model costs now, and how the book calls it and its provider.
struct Present {
    prices::Tariff tariff;
    prices::Hints hints;
};
// nullopt where the config has no such model any longer.
using PresentPrice = std::function<std::optional<Present>(const AttemptRecord& attempt)>;

struct Correcting {
    std::int64_t since = 0, until = INT64_MAX;  // milliseconds since 1970; until is exclusive
    bool own_prices = false;                    // also what models.*.price booked
    bool write = false;                         // else only what would come of it
};

struct Corrected {
    struct Day {
        std::int64_t attempts = 0;
        Money before, after;  // of these attempts
    };
    std::map<std::int64_t, Day> days;  // since 1970; those with a change
    std::int64_t seen = 0;             // attempts that were looked at
    std::int64_t charged = 0;          // left, since their provider said what it charged
    std::int64_t owners = 0;           // left, since models.*.price booked them
    std::int64_t gone = 0;             // left, since their model is no longer in the config
    Corrected& operator+=(const Corrected& other);
};

class Corrections {
  public:
    // `corrected` is when, in milliseconds since 1970: what tells one run from another.
    Corrections(const Correcting& asked, PresentPrice price, const Pricing& pricing, std::int64_t corrected);
    // What came of some of the attempts.
    struct Step {
        Corrected sum;
        std::string decision;  // behind which the next begin
        bool more = false;
    };
    // The next attempts, in order; inside a transaction, and again where that was undone. Errors: storage.
    Result<Step> some(store::Database& database) const;
    // After the commit.
    void take(Step step);
    const Corrected& sum() const { return sum_; }

    static constexpr std::int64_t kSome = 1'000;

  private:
    Result<> look_at(store::Database& database, const AttemptRecord& attempt, Corrected& sum) const;
    Result<> rewrite(store::Database& database, const AttemptRecord& attempt, const Bill& bill) const;

    const Correcting asked_;
    const PresentPrice price_;
    const Pricing& pricing_;
    const std::int64_t corrected_;
    std::string decision_;
    Corrected sum_;
};

}  // namespace tandem::ledger::reports
