// Electricity that was measured, by machine and quarter of an hour: a table of the store that is bounded.
#pragma once

#include <string>
#include <vector>

#include "base/calendar.h"
#include "base/result.h"
#include "store/store.h"

namespace tandem::ledger::local {

extern const char* const kMeasuredSchema;

inline constexpr std::int64_t kQuarter = 900'000;           // milliseconds
inline constexpr std::int64_t kMostQuarters = 1'000'000;    // of all machines: 28 years of one; the oldest go
inline constexpr std::int64_t kCovered = kQuarter - 9'000;  // a quarter counts as measured from here on

struct Quarter {
    std::int64_t start = 0;       // milliseconds since 1970, a multiple of kQuarter
    std::int64_t uj = 0;          // microjoules
    std::int64_t covered_ms = 0;  // of it, in which they were drawn
    bool whole() const { return covered_ms >= kCovered; }
    bool operator==(const Quarter&) const = default;
};
using Quarters = std::vector<Quarter>;

// What was drawn in a time, by the quarters that it lies in, in proportion: the parts add up to `uj`.
Quarters quarters_of(Span time, std::int64_t uj);

// Adds what was drawn to what is there. Errors: storage.
Result<> add_measured(store::Database& database, const std::string& machine, const Quarters& quarters);
// Those that begin in a span, in order. Errors: storage.
Result<Quarters> measured(store::Database& database, const std::string& machine, Span span);

}  // namespace tandem::ledger::local
