#include "ledger/ledger.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/log.h"
#include "ledger/reports/rollup.h"
#include "ledger/rows.h"
#include "ledger/span.h"

namespace tandem::ledger {

const char* const kLedgerSchema =
    "CREATE TABLE routing_tables (id TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;"
    // A plain table with an index: a row of more than a thousand bytes would spill out of a WITHOUT ROWID table's
    // pages.
    "CREATE TABLE decisions (id TEXT NOT NULL, time INTEGER NOT NULL, key TEXT NOT NULL, alias TEXT NOT NULL, label "
    "INTEGER NOT NULL,"
    " rule TEXT NOT NULL, routing_table TEXT NOT NULL, inputs TEXT NOT NULL, outcome TEXT NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX decisions_by_id ON decisions (id);"
    "CREATE TABLE attempts (decision TEXT NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, key TEXT NOT NULL, "
    "provider TEXT NOT NULL,"
    " model TEXT NOT NULL, zone INTEGER NOT NULL, outcome TEXT NOT NULL, status INTEGER NOT NULL, error TEXT NOT NULL,"
    " first_byte_ms INTEGER NOT NULL, total_ms INTEGER NOT NULL, input INTEGER NOT NULL, cached INTEGER NOT NULL, "
    "output INTEGER NOT NULL,"
    " reasoning INTEGER NOT NULL, estimated INTEGER NOT NULL, cost INTEGER NOT NULL, warnings TEXT NOT NULL,"
    // Ids sort by time, so this key finds a span of time too; an index would be one more page to write for each group.
    " PRIMARY KEY (decision, number)) STRICT, WITHOUT ROWID;";

const char* const kLedgerSchema2 =
    "CREATE TABLE open_attempts (decision TEXT NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL, key TEXT NOT "
    "NULL, provider TEXT NOT NULL, model TEXT NOT NULL, zone INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER "
    "NOT NULL, cost INTEGER NOT NULL, PRIMARY KEY (decision, number)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE attempts ADD COLUMN cache_write INTEGER NOT NULL DEFAULT 0;";

const char* const kLedgerSchema3 =
    // Records of before have no source: what they were booked at was the owner's price, or nothing.
    "ALTER TABLE attempts ADD COLUMN source TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE attempts ADD COLUMN bill TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE open_attempts ADD COLUMN source TEXT NOT NULL DEFAULT '';";

const char* const kLedgerSchema4 = "CREATE TABLE ledger_currency (currency TEXT NOT NULL) STRICT;";

const char* const kLedgerSchema5 = "ALTER TABLE attempts ADD COLUMN code TEXT NOT NULL DEFAULT '';";

namespace {

const store::Table<AttemptRecord>& open_attempts() {
    static const store::Table<AttemptRecord> table("open_attempts", open_attempt_columns());
    return table;
}

const store::Table<AttemptRecord>& attempts() {
    static const store::Table<AttemptRecord> table("attempts", attempt_columns());
    return table;
}

const store::Table<DecisionRecord>& decisions() {
    static const store::Table<DecisionRecord> table("decisions", decision_columns());
    return table;
}

Result<> insert_attempt(store::Database& database, const AttemptRecord& a) {
    auto inserted = attempts().insert(database, a);
    return inserted ? reports::roll_up(database, a) : inserted;
}

// What it adds to its windows, and when that counts from.
Spent spent(const AttemptRecord& a) {
    return {a.cost, a.usage.input + a.usage.output};
}
WallTime begun(const AttemptRecord& a) {
    return WallTime(milliseconds(a.time));
}

// Of an attempt under way: nobody knows what its provider did, so it used the most that it could.
AttemptRecord lost_one(AttemptRecord a) {
    a.outcome = "lost";
    a.error = "tandem ended while it was under way; what was reserved for it is counted";
    a.usage.estimated = true;
    return a;
}

Result<> close_attempt(store::Database& database, const AttemptRecord& a) {
    return database.prepare("DELETE FROM open_attempts WHERE decision = ? AND number = ?")
        .bind(1, a.decision.text())
        .bind(2, static_cast<std::int64_t>(a.number))
        .run();
}

}  // namespace

Result<> insert(store::Database& database, const DecisionRecord& r) {
    return decisions().insert_new(database, r);
}

Result<> open(store::Database& database, const AttemptRecord& most) {
    return open_attempts().replace(database, most);
}

Result<Lost> settle_lost(store::Store& store, Budgets& budgets) {
    std::vector<AttemptRecord> lost;
    auto settled = store.run([&](store::Database& database) -> Result<> {
        lost.clear();
        if (auto ok =
                database
                    .prepare("DELETE FROM open_attempts WHERE EXISTS (SELECT 1 FROM attempts a WHERE a.decision = "
                             "open_attempts.decision AND a.number = open_attempts.number)")
                    .run();
            !ok)
            return ok;
        {
            static const auto kAll = open_attempts().select("");
            auto rows = database.prepare(kAll.c_str());
            auto ok = open_attempts().each(rows, [&](AttemptRecord one) { lost.push_back(lost_one(std::move(one))); });
            if (!ok) return ok;
        }
        for (const auto& attempt : lost) {
            if (auto ok = insert_attempt(database, attempt); !ok) return ok;
            if (auto ok = budgets.record(database, attempt.subject(), begun(attempt), spent(attempt)); !ok) return ok;
        }
        return database.prepare("DELETE FROM open_attempts").run();
    });
    if (!settled) return fail(settled.error());
    Lost sum;
    for (const auto& attempt : lost) {
        budgets.settle_lost(attempt.subject(), begun(attempt), spent(attempt));
        ++sum.attempts;
        sum.cost += attempt.cost;
    }
    return sum;
}

namespace {

// Whether something was paid, or may be at the moment.
Result<bool> has_amounts(store::Database& database) {
    auto row = database.prepare(
        "SELECT EXISTS (SELECT 1 FROM attempts WHERE cost != 0) OR EXISTS (SELECT 1 FROM open_attempts)");
    if (const auto found = row.step(); !found) return fail(found.error());
    return row.integer(0) != 0;
}

Result<std::string> noted_currency(store::Database& database) {
    auto row = database.prepare("SELECT currency FROM ledger_currency");
    const auto found = row.step();
    if (!found) return fail(found.error());
    return *found ? row.text(0) : std::string();
}

}  // namespace

Result<> keep_currency(store::Store& store, const std::string& currency) {
    return store.run([&currency](store::Database& database) -> Result<> {
        const auto noted = noted_currency(database);
        if (!noted) return fail(noted.error());
        if (*noted == currency) return {};
        if (!noted->empty()) {
            const auto amounts = has_amounts(database);
            if (!amounts) return fail(amounts.error());
            if (*amounts)
                return fail(Fault::invalid_config,
                            fmt::format("currency: the amounts of this ledger are in {}, and they are not converted to "
                                        "{}; set currency: {}, or begin a new ledger with another `data:` folder",
                                        *noted, currency, *noted));
            if (auto ok = database.prepare("DELETE FROM ledger_currency").run(); !ok) return ok;
        }
        return database.prepare("INSERT INTO ledger_currency (currency) VALUES (?)").bind(1, currency).run();
    });
}

Result<std::string> currency_of(store::Database& database, const std::string& of_config) {
    auto table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'ledger_currency'");
    const auto is_there = table.step();
    if (!is_there) return fail(is_there.error());
    if (!*is_there) return of_config;
    auto noted = noted_currency(database);
    if (noted && noted->empty()) return of_config;
    return noted;
}

// ---- ledger ----

store::Store::Job Ledger::closing_job(std::vector<AttemptRecord> attempts, store::Store::Job also) {
    return [this, attempts = std::move(attempts), also = std::move(also),
            metered = false](store::Database& database) mutable -> Result<> {
        if (also)
            if (auto ok = also(database); !ok) return ok;
        for (const auto& attempt : attempts) {
            if (auto ok = insert_attempt(database, attempt); !ok) return ok;
            if (auto ok = close_attempt(database, attempt); !ok) return ok;
            if (auto ok = budgets_.record(database, attempt.subject(), begun(attempt), spent(attempt)); !ok) return ok;
        }
        // Once: a job whose group failed runs again.
        if (!std::exchange(metered, true))
            for (const auto& attempt : attempts) meter_.add(attempt);
        return {};
    };
}

void Ledger::close(std::vector<AttemptRecord> attempts, store::Store::Job also,
                   std::function<void(Result<Receipt>)> done) {
    store_.submit(closing_job(std::move(attempts), std::move(also)), [done = std::move(done)](Result<> committed) {
        if (committed)
            done(Receipt());
        else
            done(fail(Fault::record_not_written,
                      fmt::format("the record of this request could not be written: {}", committed.error().message)));
    });
}

void Ledger::close_unwatched(std::vector<AttemptRecord> attempts, store::Store::Job also) {
    store_.submit(closing_job(std::move(attempts), std::move(also)), [](Result<> committed) {
        if (!committed) spdlog::error("the record of a request could not be written: {}", committed.error().message);
    });
}

namespace {

Result<DecisionRecord> read_decision(store::Statement& rows, const std::string& what) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return fail(Fault::unknown_decision, fmt::format("there is no decision {}", what));
    return decisions().read(rows);
}

}  // namespace

Result<DecisionRecord> find_decision(store::Database& database, const std::string& id) {
    static const auto kOne = decisions().select("WHERE id = ?");
    auto rows = database.prepare(kOne.c_str());
    rows.bind(1, id);
    return read_decision(rows, id);
}

Result<DecisionRecord> last_decision(store::Database& database) {
    static const auto kLast = decisions().select("ORDER BY id DESC LIMIT 1");
    auto rows = database.prepare(kLast.c_str());
    return read_decision(rows, "yet");
}

namespace {

struct DecisionWithTable {
    DecisionRecord decision;
    std::string table;
};

const store::Selection<DecisionWithTable>& decisions_with_tables() {
    using D = DecisionWithTable;
    static const store::Selection<D> selection(
        "decisions d JOIN routing_tables t ON t.id = d.routing_table",
        store::both(store::within(&D::decision, decision_columns(), "d"), {store::column("t.json", &D::table)}));
    return selection;
}

// Each with the last of its attempts: beside a max(), SQLite takes the other columns from the row that has it
// (lang_select.html, "bare columns").
const store::Selection<RequestRow>& requests() {
    using store::column;
    using R = RequestRow;
    static const store::Selection<R> selection(
        "decisions d LEFT JOIN attempts a ON a.decision = d.id",
        {column("d.id", &R::decision), column("d.time", &R::time), column("d.key", &R::key),
         column("d.alias", &R::alias), column("d.label", &R::label), column("a.outcome", &R::outcome),
         column("a.model", &R::model), column("a.provider", &R::provider), column("a.zone", &R::zone),
         column("a.total_ms", &R::total_ms), column("max(a.number)", &R::last),
         column("sum(a.outcome <> 'skipped')", &R::attempts), column("sum(a.input)", &R::input),
         column("sum(a.output)", &R::output), column("sum(a.cost)", &R::cost)});
    return selection;
}

}  // namespace

Result<> each_decision(store::Database& database, std::int64_t since,
                       const std::function<Result<>(const DecisionRecord&, const std::string& table)>& visit) {
    static const auto kSince = decisions_with_tables().select("WHERE d.id >= ? AND d.time >= ? ORDER BY d.id");
    auto rows = database.prepare(kSince.c_str());
    const auto first = DecisionId::first_of(WallTime(milliseconds(since)));
    rows.bind(1, first.text()).bind(2, since);
    return decisions_with_tables().each(rows,
                                        [&](const DecisionWithTable& one) { return visit(one.decision, one.table); });
}

Result<> each_request(store::Database& database, std::int64_t since, std::int64_t until,
                      const std::function<void(const RequestRow&)>& visit) {
    static const auto kSpan =
        requests().select("WHERE d.id >= ?1 AND d.time >= ?2 AND d.time < ?3 GROUP BY d.id ORDER BY d.id");
    auto rows = database.prepare(kSpan.c_str());
    const auto first = first_decision(since);
    rows.bind(1, first).bind(2, since).bind(3, until);
    return requests().each(rows, [&](RequestRow request) {
        if (request.attempts == 0) request.outcome = "refused";
        visit(request);
    });
}

Result<> each_attempt(store::Database& database, std::int64_t since, std::int64_t until,
                      const std::function<Result<>(const AttemptRecord&)>& visit) {
    static const auto kSpan = attempts().select(
        "WHERE decision >= ?1 AND decision < ?2 AND time >= ?3 AND time < ?4 ORDER BY decision, number");
    auto rows = database.prepare(kSpan.c_str());
    constexpr std::int64_t kHour = 3'600'000;
    // An attempt begins after its decision is made, but for a clock that is put back between the two. Ids count to
    // 2^48.
    const auto end = std::min(until, (std::int64_t(1) << 48) - 1 - kHour) + kHour;
    const auto first = first_decision(since), last = DecisionId::first_of(WallTime(milliseconds(end))).text();
    rows.bind(1, first).bind(2, last).bind(3, since).bind(4, until);
    return attempts().each(rows, visit);
}

Result<bool> each_attempt_after(store::Database& database, const std::string& id, std::int64_t since,
                                std::int64_t until, std::int64_t most,
                                const std::function<Result<>(const AttemptRecord&)>& visit) {
    std::vector<AttemptRecord> some;
    bool more = false;
    {
        static const auto kNext = attempts().select(
            "WHERE decision > ?1 AND decision >= ?2 AND time >= ?3 AND time < ?4 ORDER BY decision, number");
        auto rows = database.prepare(kNext.c_str());
        const auto first = first_decision(since);
        rows.bind(1, id).bind(2, first).bind(3, since).bind(4, until);
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) break;
            auto attempt = attempts().read(rows);
            more = static_cast<std::int64_t>(some.size()) >= most && attempt.decision != some.back().decision;
            if (more) break;
            some.push_back(std::move(attempt));
        }
    }
    for (const auto& attempt : some)
        if (auto ok = visit(attempt); !ok) return fail(ok.error());
    return more;
}

Result<std::vector<AttemptRecord>> attempts_of(store::Database& database, const std::string& decision) {
    static const auto kOfDecision = attempts().select("WHERE decision = ? ORDER BY number");
    auto rows = database.prepare(kOfDecision.c_str());
    rows.bind(1, decision);
    return attempts().all(rows);
}

}  // namespace tandem::ledger
