#include "ledger/ledger.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/log.h"
#include "ledger/reports/rollup.h"
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

namespace {

// The columns of an attempt, in the order in which insert_attempt() and read_attempt() name them.
#define TANDEM_ATTEMPT_COLUMNS                                                                                     \
    "decision, number, time, key, provider, model, zone, outcome, status, error, first_byte_ms, total_ms, input, " \
    "cached, output, reasoning, estimated, cost, warnings, cache_write, source, bill, alias, label, work, team, "  \
    "owner, workflow"

// Of an old record: the owner's price where it cost something.
prices::PriceSource source_from(std::string_view name, Money cost) {
    const auto found = std::ranges::find(prices::kPriceSourceNames, name);
    if (found != prices::kPriceSourceNames.end())
        return static_cast<prices::PriceSource>(found - prices::kPriceSourceNames.begin());
    return cost == Money{} ? prices::PriceSource::free : prices::PriceSource::owner;
}

Result<> insert_attempt(store::Database& database, const AttemptRecord& a) {
    auto inserted =
        database
            .prepare(
                "INSERT INTO attempts (" TANDEM_ATTEMPT_COLUMNS
                ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,"
                "?26,?27,?28)")
            .bind(1, a.decision.text())
            .bind(2, static_cast<std::int64_t>(a.number))
            .bind(3, a.time)
            .bind(4, a.key)
            .bind(5, a.provider)
            .bind(6, a.model)
            .bind(7, static_cast<std::int64_t>(a.zone))
            .bind(8, a.outcome)
            .bind(9, static_cast<std::int64_t>(a.status))
            .bind(10, a.error)
            .bind(11, a.first_byte_ms)
            .bind(12, a.total_ms)
            .bind(13, a.usage.input.count)
            .bind(14, a.usage.cached_input.count)
            .bind(15, a.usage.output.count)
            .bind(16, a.usage.reasoning.count)
            .bind(17, static_cast<std::int64_t>(a.usage.estimated))
            .bind(18, a.cost.micros())
            .bind(19, a.warnings)
            .bind(20, a.usage.cache_write.count)
            .bind(21, prices::name_of(a.source))
            .bind(22, a.bill)
            .bind(23, a.alias)
            .bind(24, static_cast<std::int64_t>(a.label))
            .bind(25, a.work)
            .bind(26, a.team)
            .bind(27, a.owner)
            .bind(28, a.workflow)
            .run();
    return inserted ? reports::roll_up(database, a) : inserted;
}

// What both tables of attempts begin with: decision, number, time, key, provider, model, zone.
AttemptRecord read_head(const store::Statement& rows) {
    AttemptRecord a;
    a.decision = DecisionId::from_text(rows.text(0));
    a.number = static_cast<int>(rows.integer(1));
    a.time = rows.integer(2);
    a.key = rows.text(3);
    a.provider = rows.text(4);
    a.model = rows.text(5);
    a.zone = static_cast<Zone>(rows.integer(6));
    return a;
}

AttemptRecord read_attempt(const store::Statement& rows) {
    auto a = read_head(rows);
    a.outcome = rows.text(7);
    a.status = static_cast<int>(rows.integer(8));
    a.error = rows.text(9);
    a.first_byte_ms = rows.integer(10);
    a.total_ms = rows.integer(11);
    a.usage = {{rows.integer(12)}, {rows.integer(13)},    {rows.integer(14)},
               {rows.integer(15)}, rows.integer(16) != 0, {rows.integer(19)}};
    a.cost = Money::from_micros(rows.integer(17));
    a.warnings = rows.text(18);
    a.source = source_from(rows.text(20), a.cost);
    a.bill = rows.text(21);
    a.alias = rows.text(22);
    a.label = static_cast<Label>(rows.integer(23));
    a.work = rows.text(24);
    a.team = rows.text(25);
    a.owner = rows.text(26);
    a.workflow = rows.text(27);
    return a;
}

// What it adds to its windows, and when that counts from.
Spent spent(const AttemptRecord& a) {
    return {a.cost, a.usage.input + a.usage.output};
}
WallTime begun(const AttemptRecord& a) {
    return WallTime(milliseconds(a.time));
}

// Of an attempt under way: nobody knows what its provider did, so it used the most that it could.
AttemptRecord read_lost(const store::Statement& rows) {
    auto a = read_head(rows);
    a.outcome = "lost";
    a.error = "tandem ended while it was under way; what was reserved for it is counted";
    a.usage.input = {rows.integer(7)};
    a.usage.output = {rows.integer(8)};
    a.usage.estimated = true;
    a.cost = Money::from_micros(rows.integer(9));
    a.source = source_from(rows.text(10), a.cost);
    a.team = rows.text(11);
    a.alias = rows.text(12);
    a.label = static_cast<Label>(rows.integer(13));
    a.work = rows.text(14);
    a.owner = rows.text(15);
    a.workflow = rows.text(16);
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
    return database.prepare("INSERT OR IGNORE INTO decisions VALUES (?,?,?,?,?,?,?,?,?)")
        .bind(1, r.id.text())
        .bind(2, r.time)
        .bind(3, r.key)
        .bind(4, r.alias)
        .bind(5, static_cast<std::int64_t>(r.label))
        .bind(6, r.rule)
        .bind(7, r.table)
        .bind(8, r.inputs)
        .bind(9, r.outcome)
        .run();
}

Result<> open(store::Database& database, const AttemptRecord& most) {
    return database
        .prepare(
            "INSERT OR REPLACE INTO open_attempts (decision, number, time, key, provider, model, zone, input, "
            "output, cost, source, team, alias, label, work, owner, workflow) VALUES "
            "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        .bind(1, most.decision.text())
        .bind(2, static_cast<std::int64_t>(most.number))
        .bind(3, most.time)
        .bind(4, most.key)
        .bind(5, most.provider)
        .bind(6, most.model)
        .bind(7, static_cast<std::int64_t>(most.zone))
        .bind(8, most.usage.input.count)
        .bind(9, most.usage.output.count)
        .bind(10, most.cost.micros())
        .bind(11, prices::name_of(most.source))
        .bind(12, most.team)
        .bind(13, most.alias)
        .bind(14, static_cast<std::int64_t>(most.label))
        .bind(15, most.work)
        .bind(16, most.owner)
        .bind(17, most.workflow)
        .run();
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
            auto rows = database.prepare(
                "SELECT decision, number, time, key, provider, model, zone, input, output, cost, source, team, alias, "
                "label, work, owner, workflow FROM open_attempts");
            while (true) {
                const auto row = rows.step();
                if (!row) return fail(row.error());
                if (!*row) break;
                lost.push_back(read_lost(rows));
            }
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
                return fail(ErrorCode::invalid,
                            fmt::format("currency: the amounts of this ledger are in {}, and they are not converted to "
                                        "{}; set currency: {}, or begin a new ledger with another `data:` folder",
                                        *noted, currency, *noted));
            if (auto ok = database.prepare("DELETE FROM ledger_currency").run(); !ok) return ok;
        }
        return database.prepare("INSERT INTO ledger_currency VALUES (?)").bind(1, currency).run();
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
            done(fail(ErrorCode::storage,
                      fmt::format("the record of this request could not be written: {}", committed.error().message)));
    });
}

void Ledger::close_unwatched(std::vector<AttemptRecord> attempts, store::Store::Job also) {
    store_.submit(closing_job(std::move(attempts), std::move(also)), [](Result<> committed) {
        if (!committed) spdlog::error("the record of a request could not be written: {}", committed.error().message);
    });
}

namespace {

DecisionRecord decision_in(const store::Statement& row) {
    return {DecisionId::from_text(row.text(0)),
            row.integer(1),
            row.text(2),
            row.text(3),
            static_cast<Label>(row.integer(4)),
            row.text(5),
            row.text(6),
            row.text(7),
            row.text(8)};
}

Result<DecisionRecord> read_decision(store::Statement& rows, const std::string& what) {
    const auto row = rows.step();
    if (!row) return fail(row.error());
    if (!*row) return fail(ErrorCode::not_found, fmt::format("there is no decision {}", what));
    return decision_in(rows);
}

}  // namespace

Result<DecisionRecord> find_decision(store::Database& database, const std::string& id) {
    auto rows = database.prepare("SELECT * FROM decisions WHERE id = ?");
    rows.bind(1, id);
    return read_decision(rows, id);
}

Result<DecisionRecord> last_decision(store::Database& database) {
    auto rows = database.prepare("SELECT * FROM decisions ORDER BY id DESC LIMIT 1");
    return read_decision(rows, "yet");
}

Result<> each_decision(store::Database& database, std::int64_t since,
                       const std::function<Result<>(const DecisionRecord&, const std::string& table)>& visit) {
    auto rows = database.prepare(
        "SELECT d.*, t.json FROM decisions d JOIN routing_tables t ON t.id = d.routing_table WHERE d.id >= ? AND "
        "d.time >= ? ORDER BY d.id");
    const auto first = DecisionId::first_of(WallTime(milliseconds(since)));
    rows.bind(1, first.text()).bind(2, since);
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        if (auto ok = visit(decision_in(rows), rows.text(9)); !ok) return ok;
    }
}

Result<> each_request(store::Database& database, std::int64_t since, std::int64_t until,
                      const std::function<void(const RequestRow&)>& visit) {
    // Beside a max(), SQLite takes the other columns from the row that has it (lang_select.html, "bare columns").
    auto rows = database.prepare(
        "SELECT d.id, d.time, d.key, d.alias, d.label, max(a.number), a.outcome, a.model, a.provider, a.zone, "
        "a.total_ms, sum(a.outcome <> 'skipped'), sum(a.input), sum(a.output), sum(a.cost) FROM decisions d LEFT JOIN "
        "attempts a "
        "ON "
        "a.decision = d.id WHERE d.id >= ?1 AND d.time >= ?2 AND d.time < ?3 GROUP BY d.id ORDER BY d.id");
    const auto first = first_decision(since);
    rows.bind(1, first).bind(2, since).bind(3, until);
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        RequestRow request;
        request.decision = rows.text(0);
        request.time = rows.integer(1);
        request.key = rows.text(2);
        request.alias = rows.text(3);
        request.label = static_cast<Label>(rows.integer(4));
        request.attempts = rows.integer(11);
        request.outcome = request.attempts == 0 ? "refused" : rows.text(6);
        request.model = rows.text(7);
        request.provider = rows.text(8);
        request.zone = static_cast<Zone>(rows.integer(9));
        request.total_ms = rows.integer(10);
        request.input = {rows.integer(12)};
        request.output = {rows.integer(13)};
        request.cost = Money::from_micros(rows.integer(14));
        visit(request);
    }
}

Result<> each_attempt(store::Database& database, std::int64_t since, std::int64_t until,
                      const std::function<Result<>(const AttemptRecord&)>& visit) {
    auto rows = database.prepare(
        "SELECT " TANDEM_ATTEMPT_COLUMNS
        " FROM attempts WHERE decision >= ?1 AND decision < ?2 AND time >= ?3 AND time < ?4 ORDER BY decision, number");
    constexpr std::int64_t kHour = 3'600'000;
    // An attempt begins after its decision is made, but for a clock that is put back between the two. Ids count to
    // 2^48.
    const auto end = std::min(until, (std::int64_t(1) << 48) - 1 - kHour) + kHour;
    const auto first = first_decision(since), last = DecisionId::first_of(WallTime(milliseconds(end))).text();
    rows.bind(1, first).bind(2, last).bind(3, since).bind(4, until);
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        if (auto ok = visit(read_attempt(rows)); !ok) return ok;
    }
}

Result<bool> each_attempt_after(store::Database& database, const std::string& id, std::int64_t since,
                                std::int64_t until, std::int64_t most,
                                const std::function<Result<>(const AttemptRecord&)>& visit) {
    std::vector<AttemptRecord> some;
    bool more = false;
    {
        auto rows = database.prepare("SELECT " TANDEM_ATTEMPT_COLUMNS
                                     " FROM attempts WHERE decision > ?1 AND decision >= ?2 AND time >= ?3 AND time < "
                                     "?4 ORDER BY decision, number");
        const auto first = first_decision(since);
        rows.bind(1, id).bind(2, first).bind(3, since).bind(4, until);
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) break;
            auto attempt = read_attempt(rows);
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
    auto rows = database.prepare("SELECT " TANDEM_ATTEMPT_COLUMNS " FROM attempts WHERE decision = ? ORDER BY number");
    rows.bind(1, decision);
    std::vector<AttemptRecord> result;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return result;
        result.push_back(read_attempt(rows));
    }
}

}  // namespace tandem::ledger
