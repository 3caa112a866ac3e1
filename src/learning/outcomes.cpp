#include "learning/outcomes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tandem::learning {

// Values and weights are kept in thousandths.
const char* const kOutcomesSchema =
    "CREATE TABLE outcomes (number INTEGER PRIMARY KEY AUTOINCREMENT, decision TEXT NOT NULL, source TEXT NOT NULL, "
    "key "
    "TEXT NOT NULL, time INTEGER NOT NULL, model TEXT NOT NULL, identity TEXT NOT NULL, value INTEGER NOT NULL, weight "
    "INTEGER NOT NULL, traits BLOB NOT NULL, note TEXT NOT NULL, UNIQUE (decision, source, key)) STRICT;"
    "CREATE INDEX outcomes_by_model ON outcomes (model, number);";

const char* const kOutcomesSchema2 = "ALTER TABLE outcomes ADD COLUMN expected INTEGER NOT NULL DEFAULT -1;";

namespace {

constexpr std::int64_t kNotKnown = -1;  // in place of what was expected

std::int64_t thousandths(double number) {
    return std::llround(number * 1000);
}

double from_thousandths(std::int64_t number) {
    return static_cast<double>(number) / 1000;
}

}  // namespace

Result<> insert(store::Database& database, const OutcomeRecord& r) {
    return database
        .prepare(
            "INSERT OR REPLACE INTO outcomes (decision, source, key, time, model, identity, value, weight, traits, "
            "note, expected) VALUES (?,?,?,?,?,?,?,?,?,?,?)")
        .bind(1, r.decision)
        .bind(2, r.source)
        .bind(3, r.key)
        .bind(4, r.time)
        .bind(5, r.model)
        .bind(6, r.identity)
        .bind(7, thousandths(r.value))
        .bind(8, thousandths(r.weight))
        .bind_blob(9, r.traits)
        .bind(10, r.note)
        .bind(11, r.expected ? thousandths(*r.expected) : kNotKnown)
        .run();
}

Result<std::vector<OutcomeRecord>> newest_outcomes(store::Database& database, const std::string& model, int most) {
    // Two questions: for one with an OR the index by model would not be used, at each start.
#define TANDEM_OUTCOMES                                                                                \
    "SELECT decision, source, key, time, model, identity, value, weight, traits, note, expected FROM " \
    "outcomes "
    auto rows = database.prepare(model.empty() ? TANDEM_OUTCOMES "ORDER BY number DESC LIMIT ?1"
                                               : TANDEM_OUTCOMES "WHERE model = ?2 ORDER BY number DESC LIMIT ?1");
#undef TANDEM_OUTCOMES
    rows.bind(1, static_cast<std::int64_t>(most));
    if (!model.empty()) rows.bind(2, model);
    std::vector<OutcomeRecord> result;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        result.push_back(
            {rows.text(0), rows.text(1), rows.text(2), rows.integer(3), rows.text(4), rows.text(5),
             from_thousandths(rows.integer(6)), from_thousandths(rows.integer(7)), rows.text(8), rows.text(9),
             rows.integer(10) == kNotKnown ? std::nullopt : std::optional(from_thousandths(rows.integer(10)))});
    }
    std::ranges::reverse(result);
    return result;
}

Result<> prune_signs(store::Database& database, const std::string& model, int most) {
    return database
        .prepare(
            "DELETE FROM outcomes WHERE model = ?1 AND source <> 'feedback' AND number <= (SELECT number FROM outcomes "
            "WHERE model = ?1 AND source <> 'feedback' ORDER BY number DESC LIMIT 1 OFFSET ?2)")
        .bind(1, model)
        .bind(2, static_cast<std::int64_t>(most))
        .run();
}

Result<> forget_outcomes(store::Database& database, const std::string& model) {
    return database.prepare("DELETE FROM outcomes WHERE ?1 = '' OR model = ?1").bind(1, model).run();
}

}  // namespace tandem::learning
