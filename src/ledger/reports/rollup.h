// Sums of attempts by UTC day and by UTC month, written in the commit that writes the attempt's row: what reports are
// made of, and what remains of attempts whose rows are deleted.
//
// A sum is that of one kind of attempt: same key, team, owner, workflow, alias, label, provider, model, zone, kind of
// work, source of its price, service tier and outcome, estimated or not. Any report is made of them by adding up.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "store/row.h"

namespace tandem::ledger::reports {

extern const char* const kReportsSchema;
extern const char* const kReportsSchema2;  // owners of keys, and workflows

inline constexpr std::int64_t kDayMs = 86'400'000;

struct Kind {
    std::string key, alias;
    Label label = Label::public_;
    std::string provider, model;
    Zone zone = Zone::local;
    std::string work;  // kind of work (routing::kWorkKindNames), empty where nobody knows it
    prices::PriceSource source = prices::PriceSource::free;
    std::string tier;  // of the response, in the book's words; empty: standard
    std::string outcome;
    bool estimated = false;  // its usage
    std::string team;        // of the key, when it asked
    std::string owner;       // of the key, then
    std::string workflow;    // that the request named
    bool operator==(const Kind&) const = default;
};
Kind kind_of(const AttemptRecord& attempt);

struct Sums {
    std::int64_t attempts = 0;
    // estimated: nothing here; Kind has it. Sums of tokens stop at the end of their range, as Tokens do.
    Usage usage;
    Money cost;
    std::int64_t total_ms = 0;
    Sums& operator+=(const Sums& other);
    bool operator==(const Sums& other) const;
};
Sums sums_of(const AttemptRecord& attempt);

// A row of sums_of_days() or sums_of_months().
struct PeriodSums {
    std::int64_t period = 0;  // the number of the day or the month
    std::int64_t kind = 0;
    Sums sums;
};
const store::Table<PeriodSums>& sums_of_days();
const store::Table<PeriodSums>& sums_of_months();

// The number of a UTC day since 1970, and of a month since year 0.
std::int64_t day_of(std::int64_t time_ms);
std::int64_t month_of_day(std::int64_t day);
std::int64_t first_day_of_month(std::int64_t month);

// Kinds that are told apart. Clients can name models where a pattern stands for any name, and providers name their
// tiers: of what would be more, model, alias, workflow and tier are "(other)", and the sums stay exact.
inline constexpr std::int64_t kMostKinds = 200'000;

// Adds an attempt to its day and its month, inside the transaction that inserts its row. Errors: storage.
Result<> roll_up(store::Database& database, const AttemptRecord& attempt);
// Takes it out again, as it was added: before its row is changed. Errors: storage.
Result<> roll_back(store::Database& database, const AttemptRecord& attempt);

// All kinds, by id (a vector with gaps where an id is not used). Errors: storage.
Result<std::vector<Kind>> all_kinds(store::Database& database);

}  // namespace tandem::ledger::reports
