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

// Neither 1, 0 nor -1: nobody has compared the answers.
constexpr std::int64_t kNobody = 2;

store::Columns<Trial> trial_columns() {
    using store::column;
    return {column("number", &Trial::number), column("experiment", &Trial::experiment),
            column("decision", &Trial::decision), column("unit", &Trial::unit), column("treatment", &Trial::treatment),
            column("faulty", &Trial::faulty), column("question", &Trial::question), column("said", &Trial::said),
            column("other", &Trial::other), column("other_faulty", &Trial::other_faulty),
            column("other_said", &Trial::other_said),
            // Written by put_verdict() and vote() alone; NULL before.
            store::read_as("COALESCE(judged, 2)", store::optional("judged", &Trial::judged, kNobody)),
            store::read_as("COALESCE(voted, 2)", store::optional("voted", &Trial::voted, kNobody)),
            column("note", &Trial::note)};
}

// What is known once the client has its answer.
const store::Table<Trial>& given() {
    static const store::Table<Trial> table(
        "trials",
        store::only(trial_columns(), {"experiment", "decision", "unit", "treatment", "faulty", "question", "said"}));
    return table;
}

// What is known once the other model was asked.
const store::Table<Trial>& others() {
    static const store::Table<Trial> table(
        "trials",
        store::only(trial_columns(), {"experiment", "decision", "other", "other_faulty", "other_said", "note"}));
    return table;
}

// A trial as it is read: the mean of its feedback is made of two columns.
struct Row {
    Measured measured;
    std::int64_t said = 0, sum = 0;  // how many said how good the answer is, and the thousandths that they said
};

Measured measured_of(Row row) {
    if (row.said > 0) row.measured.feedback = static_cast<double>(row.sum) / 1000 / static_cast<double>(row.said);
    return std::move(row.measured);
}

const store::Selection<Row>& trials() {
    using store::column, store::parts, store::within;
    using M = Measured;
    constexpr int kMicros = 1'000'000, kMilliseconds = 1'000;
    static const store::Selection<Row> selection(
        "trials t",
        store::both(
            within(&Row::measured,
                   store::both(
                       within(&M::trial, trial_columns()),
                       // What was asked and not answered has its cost too.
                       {parts("(SELECT COALESCE(SUM(cost), 0) FROM attempts WHERE decision = t.decision)", &M::cost,
                              kMicros),
                        parts("(SELECT COALESCE(SUM(cost), 0) FROM attempts WHERE decision = t.other)", &M::other_cost,
                              kMicros),
                        parts("(SELECT COALESCE(MAX(total_ms), 0) FROM attempts WHERE decision = t.decision AND "
                              "outcome = 'answered')",
                              &M::seconds, kMilliseconds),
                        parts("(SELECT COALESCE(MAX(total_ms), 0) FROM attempts WHERE decision = t.other AND outcome "
                              "= 'answered')",
                              &M::other_seconds, kMilliseconds)})),
            {column("(SELECT COUNT(*) FROM outcomes WHERE decision = t.decision AND source = 'feedback')", &Row::said),
             column("(SELECT COALESCE(SUM(value), 0) FROM outcomes WHERE decision = t.decision AND source = "
                    "'feedback')",
                    &Row::sum)}));
    return selection;
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
    return given().insert_new(database, t);
}

Result<> put_other(store::Database& database, const Trial& t) {
    static const auto kOther = others().update({"experiment", "decision"});
    return others().run(database, kOther, t);
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
            return fail(Fault::unknown_object,
                        fmt::format("experiment {} has no pair {} to vote on; `tandem experiment "
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
    static const auto kOfExperiment = trials().select("WHERE experiment = ? AND number >= ? ORDER BY number");
    auto rows = database.prepare(kOfExperiment.c_str());
    rows.bind(1, experiment).bind(2, first);
    std::vector<Measured> list;
    auto ok = trials().each(rows, [&](Row row) { list.push_back(measured_of(std::move(row))); });
    if (!ok) return fail(ok.error());
    return list;
}

}  // namespace tandem::experiment
