// A report: what attempts used and cost, added up by one or two dimensions. Made of the roll-ups (rollup.h), and of the
// attempts' rows where a span begins or ends within a day.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ledger/reports/question.h"
#include "ledger/reports/rollup.h"

namespace tandem::ledger::reports {

struct Figures {
    Sums sums;
    std::int64_t answered = 0;   // attempts that gave their client an answer, one of the cache included
    std::int64_t estimated = 0;  // attempts whose usage is an estimate
    std::int64_t unpriced = 0;   // attempts whose cost is not known, and not in it
    std::array<Money, prices::kPriceSourceNames.size()> sources{};  // whose word the cost is, in parts

    Figures& operator+=(const Figures& other);
    // The cost of all attempts for each that answered, rounded half to even; nullopt where none did.
    std::optional<Money> cost_per_answer() const;
};

struct Line {
    std::vector<std::string> groups;  // of each dimension; empty where nobody knows it
    Figures figures;
};

// A day whose attempts were priced anew.
struct Correction {
    std::int64_t corrected = 0;  // when, milliseconds since 1970
    std::int64_t day = 0;        // since 1970
    std::int64_t attempts = 0;
    Money before, after;  // of the whole day
};

struct Report {
    Question question;
    // In order of time where a dimension is one, else the dearest first.
    std::vector<Line> lines;
    Figures total;
    std::vector<Correction> corrections;  // of days in the span
    std::vector<std::string> notes;       // what is different from what was asked
};

// Errors: storage; a ledger of a version before there were roll-ups says what to do.
Result<Report> make_report(store::Database& database, const Question& question);

// The first moment (midnight UTC) from which on the attempts are all kept one by one. Errors: storage; a ledger of a
// version before there were roll-ups says what to do.
Result<std::int64_t> kept_since(store::Database& database);

// Every sum of whole days, the last included, in order of days. Errors: storage.
Result<> each_sum(store::Database& database, std::int64_t first_day, std::int64_t last_day,
                  const std::function<void(std::int64_t day, const Kind& kind, const Sums& sums)>& visit);

// The days that have attempts: from the first to the last of the span; nullopt where there are none. Errors: storage.
struct Days {
    std::int64_t first = 0, last = 0;
};
Result<std::optional<Days>> days_of(store::Database& database, const Question& question);

}  // namespace tandem::ledger::reports
