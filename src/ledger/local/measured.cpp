#include "ledger/local/measured.h"

#include <algorithm>

namespace tandem::ledger::local {

const char* const kMeasuredSchema =
    "CREATE TABLE measured_energy (machine TEXT NOT NULL, quarter INTEGER NOT NULL, uj INTEGER NOT NULL, covered_ms "
    "INTEGER NOT NULL, PRIMARY KEY (quarter, machine)) STRICT, WITHOUT ROWID;";

Quarters quarters_of(Span time, std::int64_t uj) {
    Quarters parts;
    const auto whole = time.end - time.start;
    if (whole <= 0 || time.start < 0 || uj < 0) return parts;
    std::int64_t given = 0;
    for (auto at = time.start; at < time.end;) {
        const auto start = at / kQuarter * kQuarter;
        const auto end = std::min(time.end, start + kQuarter);
        const auto upto = static_cast<std::int64_t>(static_cast<__int128>(uj) * (end - time.start) / whole);
        parts.push_back({start, upto - given, end - at});
        given = upto;
        at = end;
    }
    return parts;
}

Result<> add_measured(store::Database& database, const std::string& machine, const Quarters& quarters) {
    for (const auto& part : quarters)
        if (auto ok =
                database
                    .prepare("INSERT INTO measured_energy (machine, quarter, uj, covered_ms) VALUES (?1, ?2, ?3, ?4) "
                             "ON CONFLICT (quarter, machine) DO UPDATE SET uj = uj + ?3, covered_ms = covered_ms + ?4")
                    .bind(1, machine)
                    .bind(2, part.start)
                    .bind(3, part.uj)
                    .bind(4, part.covered_ms)
                    .run();
            !ok)
            return ok;
    // Once for each quarter of an hour and machine a row is new: looking at it as often is enough.
    if (quarters.empty() || quarters.back().start == quarters.front().start) return {};
    auto row = database.prepare("SELECT count(*) FROM measured_energy");
    if (const auto found = row.step(); !found) return fail(found.error());
    const auto beyond = row.integer(0) - kMostQuarters;
    if (beyond <= 0) return {};
    return database
        .prepare(
            "DELETE FROM measured_energy WHERE (quarter, machine) IN (SELECT quarter, machine FROM measured_energy "
            "ORDER BY quarter, machine LIMIT ?)")
        .bind(1, beyond)
        .run();
}

Result<Quarters> measured(store::Database& database, const std::string& machine, Span span) {
    auto rows = database.prepare(
        "SELECT quarter, uj, covered_ms FROM measured_energy WHERE quarter >= ? AND quarter < ? AND machine = ? ORDER "
        "BY quarter");
    rows.bind(1, span.start).bind(2, span.end).bind(3, machine);
    Quarters list;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return list;
        list.push_back({rows.integer(0), rows.integer(1), rows.integer(2)});
    }
}

}  // namespace tandem::ledger::local
