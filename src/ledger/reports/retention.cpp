#include "ledger/reports/retention.h"

#include <fmt/format.h>

namespace tandem::ledger::reports {

// An attempt that was lost may have no decision, and a request that was refused has no attempt.
Retention::Retention(std::string_view also_kept)
    : find_(fmt::format("SELECT id FROM decisions WHERE id < ?1{0} UNION SELECT decision FROM attempts WHERE decision "
                        "< ?1{1} ORDER BY 1 LIMIT ?2",
                        also_kept.empty() ? "" : fmt::format(" AND id NOT IN ({})", also_kept),
                        also_kept.empty() ? "" : fmt::format(" AND decision NOT IN ({})", also_kept))) {}

Result<bool> Retention::forget_some(store::Database& database, std::int64_t keep_days, std::int64_t now_ms) const {
    const auto before = (day_of(now_ms) - keep_days) * kDayMs;
    if (before <= 0) return false;
    std::vector<std::string> ids;
    {
        auto rows = database.prepare(find_.c_str());
        // Attempts begin up to a day after their decision.
        const auto last = DecisionId::first_of(WallTime(milliseconds(before - kDayMs))).text();
        rows.bind(1, last).bind(2, kSome);
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) break;
            ids.push_back(rows.text(0));
        }
    }
    if (ids.empty()) return false;
    if (auto ok = database.prepare("UPDATE attempts_kept SET since = max(since, ?)").bind(1, before).run(); !ok)
        return fail(ok.error());
    for (const auto& id : ids)
        for (const char* sql : {"DELETE FROM attempts WHERE decision = ?", "DELETE FROM decisions WHERE id = ?",
                                "DELETE FROM corrected_attempts WHERE decision = ?"})
            if (auto ok = database.prepare(sql).bind(1, id).run(); !ok) return fail(ok.error());
    return static_cast<std::int64_t>(ids.size()) == kSome;
}

}  // namespace tandem::ledger::reports
