#include "learning/outcomes.h"

#include <algorithm>

#include "store/row.h"

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

const store::Table<OutcomeRecord>& table() {
    using R = OutcomeRecord;
    static const store::Table<R> outcomes(
        "outcomes", {store::column("decision", &R::decision), store::column("source", &R::source),
                     store::column("key", &R::key), store::column("time", &R::time), store::column("model", &R::model),
                     store::column("identity", &R::identity), store::thousandths("value", &R::value),
                     store::thousandths("weight", &R::weight), store::blob("traits", &R::traits),
                     store::column("note", &R::note), store::optional("expected", &R::expected, kNotKnown)});
    return outcomes;
}

}  // namespace

Result<> insert(store::Database& database, const OutcomeRecord& r) {
    return table().replace(database, r);
}

Result<std::vector<OutcomeRecord>> newest_outcomes(store::Database& database, const std::string& model, int most) {
    // Two questions: for one with an OR the index by model would not be used, at each start.
    static const auto kNewest = table().select("ORDER BY number DESC LIMIT ?1");
    static const auto kNewestOfModel = table().select("WHERE model = ?2 ORDER BY number DESC LIMIT ?1");
    auto rows = database.prepare(model.empty() ? kNewest.c_str() : kNewestOfModel.c_str());
    rows.bind(1, static_cast<std::int64_t>(most));
    if (!model.empty()) rows.bind(2, model);
    auto result = table().all(rows);
    if (result) std::ranges::reverse(*result);
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
