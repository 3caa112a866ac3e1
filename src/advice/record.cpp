#include "advice/record.h"

#include <algorithm>

#include "advice/knowledge.h"
#include "advice/queue.h"
#include "learning/outcomes.h"
#include "store/row.h"

namespace tandem::advice {

const char* const kAdviceSchema =
    "CREATE TABLE applied_advice (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, name TEXT NOT NULL, "
    "file "
    "TEXT NOT NULL, backup TEXT NOT NULL, sum_before TEXT NOT NULL, sum_after TEXT NOT NULL, predicted TEXT NOT NULL, "
    "undone INTEGER NOT NULL DEFAULT 0) STRICT;";

namespace {

store::Columns<Applied> columns() {
    using store::column;
    return {column("id", &Applied::id),           column("time", &Applied::time),
            column("name", &Applied::name),       column("file", &Applied::file),
            column("backup", &Applied::backup),   column("sum_before", &Applied::before),
            column("sum_after", &Applied::after), column("predicted", &Applied::predicted),
            column("undone", &Applied::undone)};
}

const store::Table<Applied>& table() {
    static const store::Table<Applied> applied("applied_advice", columns());
    return applied;
}

// Its id is the next one, and nothing is undone yet.
const store::Table<Applied>& added() {
    static const store::Table<Applied> applied(
        "applied_advice",
        store::only(columns(), {"time", "name", "file", "backup", "sum_before", "sum_after", "predicted"}));
    return applied;
}

}  // namespace

Result<std::int64_t> add(store::Database& database, const Applied& applied) {
    auto ok = added().insert(database, applied);
    if (!ok) return fail(ok.error());
    auto row = database.prepare("SELECT max(id) FROM applied_advice");
    if (const auto found = row.step(); !found) return fail(found.error());
    const auto id = row.integer(0);
    ok = database.prepare("DELETE FROM applied_advice WHERE id <= ?1").bind(1, id - kMostApplied).run();
    if (!ok) return fail(ok.error());
    return id;
}

Result<std::vector<Applied>> applied(store::Database& database) {
    static const auto kNewestFirst = table().select("ORDER BY id DESC");
    auto rows = database.prepare(kNewestFirst.c_str());
    return table().all(rows);
}

Result<> note_undone(store::Database& database, std::int64_t id, std::int64_t time) {
    auto ok = database.prepare("UPDATE applied_advice SET undone = ?2 WHERE id = ?1").bind(1, id).bind(2, time).run();
    if (!ok) return ok;
    if (database.changes() == 0) return fail(ErrorCode::not_found, "no advice was applied under this number");
    return {};
}

Result<Happened> happened(store::Database& database, std::int64_t since, std::int64_t until) {
    constexpr int kMostOutcomes = 200'000;
    auto traffic = read_traffic(database, since, until);
    if (!traffic) return fail(traffic.error());
    const auto outcomes = learning::newest_outcomes(database, "", kMostOutcomes);
    if (!outcomes) return fail(outcomes.error());
    note_outcomes(*traffic, *outcomes);
    Happened result;
    result.days = static_cast<double>(until - since) / 86'400'000.0;
    std::vector<double> first, total;
    double cost = 0;
    std::int64_t confidential = 0, home = 0;
    for (const auto& one : traffic->requests) {
        ++result.requests;
        cost += static_cast<double>(one.cost.micros()) / 1e6;
        if (one.good >= 0) {
            result.good += static_cast<double>(one.good);
            ++result.said;
        }
        if (one.label >= Label::private_) ++confidential;
        if (one.outcome != Outcome::answered) continue;
        ++result.answered;
        if (one.label >= Label::private_ && one.zone == Zone::local) ++home;
        if (one.first_byte_ms >= 0) first.push_back(static_cast<double>(one.first_byte_ms));
        if (one.whole) total.push_back(static_cast<double>(one.total_ms));
    }
    if (result.said > 0) result.good /= static_cast<double>(result.said);
    if (result.days > 0) result.cost_per_day = cost / result.days;
    if (confidential > 0) result.private_home = static_cast<double>(home) / static_cast<double>(confidential);
    result.first_p50 = percentile(first, 0.5);
    result.first_p95 = percentile(first, 0.95);
    result.total_p50 = percentile(total, 0.5);
    result.total_p95 = percentile(total, 0.95);
    return result;
}

}  // namespace tandem::advice
