#include "probe/records.h"

#include "store/row.h"

namespace tandem::probe {

const char* const kProbesSchema =
    "CREATE TABLE probes (model TEXT NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL, identity TEXT NOT NULL, "
    "decision TEXT NOT NULL, time INTEGER NOT NULL, milliseconds INTEGER NOT NULL, passed INTEGER NOT NULL, "
    "note TEXT NOT NULL, PRIMARY KEY (model, task)) STRICT, WITHOUT ROWID;";

const char* const kFindingsSchema =
    "ALTER TABLE probes ADD COLUMN suite TEXT NOT NULL DEFAULT 'basics';"
    "CREATE TABLE findings (model TEXT NOT NULL, suite TEXT NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL, "
    "unit TEXT NOT NULL, value INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, asked INTEGER NOT NULL, "
    "right_answers INTEGER NOT NULL, word TEXT NOT NULL, identity TEXT NOT NULL, seed INTEGER NOT NULL, "
    "time INTEGER NOT NULL, PRIMARY KEY (model, suite, name)) STRICT, WITHOUT ROWID;";

namespace {

constexpr std::int64_t kNotAsked = -1;

const store::Table<Record>& record_table() {
    static const store::Table<Record> probes(
        "probes",
        {store::column("model", &Record::model), store::column("task", &Record::task),
         store::column("kind", &Record::kind), store::column("identity", &Record::identity),
         store::column("decision", &Record::decision), store::column("time", &Record::time),
         store::column("milliseconds", &Record::milliseconds), store::optional("passed", &Record::passed, kNotAsked),
         store::column("note", &Record::note), store::column("suite", &Record::suite)});
    return probes;
}

const store::Table<Found>& found_table() {
    static const store::Table<Found> all(
        "findings",
        {store::column("model", &Found::model), store::column("suite", &Found::suite),
         store::column("name", &Found::finding, &Finding::name), store::column("place", &Found::place),
         store::column("unit", &Found::finding, &Finding::unit),
         store::column("value", &Found::finding, &Finding::value), store::column("low", &Found::finding, &Finding::low),
         store::column("high", &Found::finding, &Finding::high),
         store::column("asked", &Found::finding, &Finding::asked),
         store::column("right_answers", &Found::finding, &Finding::right),
         store::column("word", &Found::finding, &Finding::word), store::column("identity", &Found::identity),
         store::column("seed", &Found::seed), store::column("time", &Found::time)});
    return all;
}

}  // namespace

Result<> put(store::Database& database, const Record& record) {
    return record_table().replace(database, record);
}

Result<std::vector<Record>> records(store::Database& database, const std::string& model) {
    static const auto kByModel =
        record_table().select("WHERE ?1 = '' OR model = ?1 ORDER BY model, suite, kind, length(task), task");
    auto rows = database.prepare(kByModel.c_str());
    rows.bind(1, model);
    return record_table().all(rows);
}

Result<> forget_records(store::Database& database, const std::string& model, const std::string& suite) {
    return database.prepare("DELETE FROM probes WHERE model = ? AND suite = ?").bind(1, model).bind(2, suite).run();
}

Result<> replace(store::Database& database, const std::string& model, const std::string& suite,
                 const std::vector<Found>& all) {
    auto gone =
        database.prepare("DELETE FROM findings WHERE model = ? AND suite = ?").bind(1, model).bind(2, suite).run();
    if (!gone) return gone;
    for (const auto& one : all)
        if (auto ok = found_table().replace(database, one); !ok) return ok;
    return {};
}

Result<std::vector<Found>> findings(store::Database& database, const std::string& model) {
    static const auto kByModel = found_table().select("WHERE ?1 = '' OR model = ?1 ORDER BY model, suite, place");
    auto rows = database.prepare(kByModel.c_str());
    rows.bind(1, model);
    return found_table().all(rows);
}

Result<> forget_findings(store::Database& database, const std::string& model) {
    return database.prepare("DELETE FROM findings WHERE model = ?").bind(1, model).run();
}

}  // namespace tandem::probe
