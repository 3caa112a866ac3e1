#include "experiment/records.h"

#include <fmt/format.h>

#include "store/row.h"

namespace tandem::experiment {

const char* const kExperimentsSchema =
    "CREATE TABLE experiments (name TEXT PRIMARY KEY, definition TEXT NOT NULL, state INTEGER NOT NULL, treatment "
    "INTEGER NOT NULL, first INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;"
    "CREATE TABLE trials (number INTEGER PRIMARY KEY AUTOINCREMENT, experiment TEXT NOT NULL, decision TEXT NOT NULL, "
    "unit TEXT NOT NULL, treatment INTEGER NOT NULL, faulty INTEGER NOT NULL, question TEXT NOT NULL, said TEXT NOT "
    "NULL, other TEXT NOT NULL DEFAULT '', other_faulty INTEGER NOT NULL DEFAULT 0, other_said TEXT NOT NULL DEFAULT "
    "'', judged INTEGER, voted INTEGER, note TEXT NOT NULL DEFAULT '', UNIQUE (experiment, decision)) STRICT;"
    "CREATE INDEX trials_by_experiment ON trials (experiment, number);";

namespace {

const store::Table<Record>& experiments() {
    static const store::Table<Record> table(
        "experiments", {store::column("name", &Record::name), store::column("definition", &Record::definition),
                        store::column("state", &Record::state), store::column("treatment", &Record::treatment),
                        store::column("first", &Record::first), store::column("started", &Record::started),
                        store::column("ended", &Record::ended)});
    return table;
}

}  // namespace

Result<> put(store::Database& database, const Record& r) {
    return experiments().replace(database, r);
}

Result<std::vector<Record>> records(store::Database& database) {
    static const auto kByName = experiments().select("ORDER BY name");
    auto rows = database.prepare(kByName.c_str());
    return experiments().all(rows);
}

Result<> insert(store::Database& database, const Trial& t) {
    return database
        .prepare(
            "INSERT OR IGNORE INTO trials (experiment, decision, unit, treatment, faulty, question, said) VALUES "
            "(?,?,?,?,?,?,?)")
        .bind(1, t.experiment)
        .bind(2, t.decision)
        .bind(3, t.unit)
        .bind(4, static_cast<std::int64_t>(t.treatment))
        .bind(5, static_cast<std::int64_t>(t.faulty))
        .bind(6, t.question)
        .bind(7, t.said)
        .run();
}

Result<> put_other(store::Database& database, const Trial& t) {
    return database
        .prepare(
            "UPDATE trials SET other = ?, other_faulty = ?, other_said = ?, note = ? WHERE experiment = ? AND decision "
            "= ?")
        .bind(1, t.other)
        .bind(2, static_cast<std::int64_t>(t.other_faulty))
        .bind(3, t.other_said)
        .bind(4, t.note)
        .bind(5, t.experiment)
        .bind(6, t.decision)
        .run();
}

Result<> put_verdict(store::Database& database, const Trial& t) {
    if (!t.judged)
        return database.prepare("UPDATE trials SET note = ? WHERE experiment = ? AND decision = ?")
            .bind(1, t.note)
            .bind(2, t.experiment)
            .bind(3, t.decision)
            .run();
    return database.prepare("UPDATE trials SET judged = ? WHERE experiment = ? AND decision = ?")
        .bind(1, static_cast<std::int64_t>(*t.judged))
        .bind(2, t.experiment)
        .bind(3, t.decision)
        .run();
}

Result<std::int64_t> next_trial(store::Database& database) {
    auto row = database.prepare("SELECT COALESCE(MAX(number), 0) + 1 FROM trials");
    if (const auto there = row.step(); !there) return fail(there.error());
    return row.integer(0);
}

Result<> vote(store::Database& database, const std::string& experiment, std::int64_t number, int verdict) {
    {
        auto row =
            database.prepare("SELECT 1 FROM trials WHERE experiment = ? AND number = ? AND other <> '' AND said <> ''");
        row.bind(1, experiment).bind(2, number);
        const auto there = row.step();
        if (!there) return fail(there.error());
        if (!*there)
            return fail(ErrorCode::not_found, fmt::format("experiment {} has no pair {} to vote on; `tandem experiment "
                                                          "pairs {}` lists them",
                                                          experiment, number, experiment));
    }
    return database.prepare("UPDATE trials SET voted = ? WHERE experiment = ? AND number = ?")
        .bind(1, static_cast<std::int64_t>(verdict))
        .bind(2, experiment)
        .bind(3, number)
        .run();
}

Result<std::vector<Measured>> measured(store::Database& database, const std::string& experiment, std::int64_t first) {
    // What was asked and not answered has its cost too.
    auto rows = database.prepare(
        "SELECT number, decision, unit, treatment, faulty, question, said, other, other_faulty, other_said, judged IS "
        "NOT NULL, judged, voted IS NOT NULL, voted, note,"
        " (SELECT COUNT(*) FROM outcomes WHERE decision = t.decision AND source = 'feedback'),"
        " (SELECT COALESCE(SUM(value), 0) FROM outcomes WHERE decision = t.decision AND source = 'feedback'),"
        " (SELECT COALESCE(SUM(cost), 0) FROM attempts WHERE decision = t.decision),"
        " (SELECT COALESCE(SUM(cost), 0) FROM attempts WHERE decision = t.other),"
        " (SELECT COALESCE(MAX(total_ms), 0) FROM attempts WHERE decision = t.decision AND outcome = 'answered'),"
        " (SELECT COALESCE(MAX(total_ms), 0) FROM attempts WHERE decision = t.other AND outcome = 'answered')"
        " FROM trials t WHERE experiment = ? AND number >= ? ORDER BY number");
    rows.bind(1, experiment).bind(2, first);
    std::vector<Measured> result;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return result;
        Measured m;
        auto& t = m.trial;
        t.number = rows.integer(0);
        t.experiment = experiment;
        t.decision = rows.text(1);
        t.unit = rows.text(2);
        t.treatment = rows.integer(3) != 0;
        t.faulty = rows.integer(4) != 0;
        t.question = rows.text(5);
        t.said = rows.text(6);
        t.other = rows.text(7);
        t.other_faulty = rows.integer(8) != 0;
        t.other_said = rows.text(9);
        if (rows.integer(10) != 0) t.judged = static_cast<int>(rows.integer(11));
        if (rows.integer(12) != 0) t.voted = static_cast<int>(rows.integer(13));
        t.note = rows.text(14);
        if (const auto count = rows.integer(15); count > 0)
            m.feedback = static_cast<double>(rows.integer(16)) / 1000 / static_cast<double>(count);
        m.cost = static_cast<double>(rows.integer(17)) / 1e6;
        m.other_cost = static_cast<double>(rows.integer(18)) / 1e6;
        m.seconds = static_cast<double>(rows.integer(19)) / 1000;
        m.other_seconds = static_cast<double>(rows.integer(20)) / 1000;
        result.push_back(std::move(m));
    }
}

}  // namespace tandem::experiment
