#include "ledger/reports/rollup.h"

#include <algorithm>
#include <chrono>

#include "base/json.h"

namespace tandem::ledger::reports {

// Each statement of a period: `name` is its table, `column` its number.
#define TANDEM_PERIODS(name, column)                                                                             \
    "CREATE TABLE " name " (" column                                                                             \
    " INTEGER NOT NULL, kind INTEGER NOT NULL, attempts INTEGER NOT NULL, input INTEGER NOT NULL, cached "       \
    "INTEGER NOT NULL, cache_write INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL, cost " \
    "INTEGER NOT NULL, total_ms INTEGER NOT NULL, PRIMARY KEY (" column ", kind)) STRICT, WITHOUT ROWID;"

// What a kind was, of a row of `attempts`, before there were owners and workflows.
#define TANDEM_KIND_COLUMNS_BEFORE \
    "key, alias, label, provider, model, zone, work, source, tier, outcome, estimated, team"
#define TANDEM_SOURCE "CASE WHEN source <> '' THEN source WHEN cost = 0 THEN 'free' ELSE 'owner' END"
#define TANDEM_TIER "CASE WHEN bill = '' THEN '' ELSE COALESCE(json_extract(bill, '$.tier'), '') END"
#define TANDEM_FILL(name, number)                                                                                    \
    "INSERT INTO " name " SELECT " number                                                                            \
    ", k.id, count(*), sum(a.input), sum(a.cached), sum(a.cache_write), sum(a.output), sum(a.reasoning), "           \
    "sum(a.cost), sum(a.total_ms) FROM (SELECT *, " TANDEM_SOURCE " AS word, " TANDEM_TIER                           \
    " AS level FROM attempts) a JOIN cost_kinds k ON k.key = a.key AND k.alias = a.alias AND k.label = a.label AND " \
    "k.provider = a.provider AND k.model = a.model AND k.zone = a.zone AND k.work = a.work AND k.source = a.word "   \
    "AND k.tier = a.level AND k.outcome = a.outcome AND k.estimated = a.estimated AND k.team = a.team "              \
    "GROUP BY 1, 2;"

const char* const kReportsSchema =
    "ALTER TABLE attempts ADD COLUMN alias TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE attempts ADD COLUMN label INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE attempts ADD COLUMN work TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE attempts ADD COLUMN team TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE open_attempts ADD COLUMN alias TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE open_attempts ADD COLUMN label INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE open_attempts ADD COLUMN work TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE open_attempts ADD COLUMN team TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE cost_kinds (id INTEGER PRIMARY KEY, key TEXT NOT NULL, alias TEXT NOT NULL, label INTEGER NOT NULL, "
    "provider TEXT NOT NULL, model TEXT NOT NULL, zone INTEGER NOT NULL, work TEXT NOT NULL, source TEXT NOT NULL, "
    "tier TEXT NOT NULL, outcome TEXT NOT NULL, estimated INTEGER NOT NULL, team TEXT NOT NULL, UNIQUE (model, key, "
    "alias, outcome, label, work, provider, zone, source, tier, estimated, team)) STRICT;"  //
    TANDEM_PERIODS("cost_days", "day") TANDEM_PERIODS("cost_months", "month")
    // What was booked before a price was corrected: of each attempt while its row is kept, and of each day.
    "CREATE TABLE corrected_attempts (decision TEXT NOT NULL, number INTEGER NOT NULL, corrected INTEGER NOT NULL, "
    "cost INTEGER NOT NULL, source TEXT NOT NULL, bill TEXT NOT NULL, PRIMARY KEY (decision, number, corrected)) "
    "STRICT, WITHOUT ROWID;"
    "CREATE TABLE corrected_days (corrected INTEGER NOT NULL, day INTEGER NOT NULL, attempts INTEGER NOT NULL, before "
    "INTEGER NOT NULL, after INTEGER NOT NULL, PRIMARY KEY (day, corrected)) STRICT, WITHOUT ROWID;"
    // One row: attempts of before this time (milliseconds since 1970) are not kept singly.
    "CREATE TABLE attempts_kept (since INTEGER NOT NULL) STRICT; INSERT INTO attempts_kept VALUES (0);"
    // What is there already.
    "UPDATE attempts SET (alias, label, work) = (SELECT d.alias, d.label, CASE WHEN json_valid(d.inputs) THEN "
    "COALESCE(json_extract(d.inputs, '$.work.kind'), '') ELSE '' END FROM decisions d WHERE d.id = attempts.decision) "
    "WHERE decision IN (SELECT id FROM decisions);"
    "INSERT INTO cost_kinds (" TANDEM_KIND_COLUMNS_BEFORE
    ") SELECT DISTINCT key, alias, label, provider, model, zone, work, " TANDEM_SOURCE ", " TANDEM_TIER
    ", outcome, estimated, team FROM attempts;"  //
    TANDEM_FILL("cost_days", "a.time / 86400000")
        TANDEM_FILL("cost_months",
                    "CAST(strftime('%Y', a.time / 1000, 'unixepoch') AS INTEGER) * 12 + CAST(strftime('%m', a.time / "
                    "1000, 'unixepoch') AS INTEGER) - 1");

const char* const kReportsSchema2 =
    "ALTER TABLE attempts ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE attempts ADD COLUMN workflow TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE open_attempts ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE open_attempts ADD COLUMN workflow TEXT NOT NULL DEFAULT '';"
    // What is unique is more now, which no ALTER TABLE says.
    "ALTER TABLE cost_kinds RENAME TO cost_kinds_before;"
    "CREATE TABLE cost_kinds (id INTEGER PRIMARY KEY, key TEXT NOT NULL, alias TEXT NOT NULL, label INTEGER NOT NULL, "
    "provider TEXT NOT NULL, model TEXT NOT NULL, zone INTEGER NOT NULL, work TEXT NOT NULL, source TEXT NOT NULL, "
    "tier TEXT NOT NULL, outcome TEXT NOT NULL, estimated INTEGER NOT NULL, team TEXT NOT NULL, owner TEXT NOT NULL, "
    "workflow TEXT NOT NULL, UNIQUE (model, key, alias, outcome, label, work, provider, zone, source, tier, estimated, "
    "team, owner, workflow)) STRICT;"
    "INSERT INTO cost_kinds SELECT id, " TANDEM_KIND_COLUMNS_BEFORE
    ", '', '' FROM cost_kinds_before;"
    "DROP TABLE cost_kinds_before;";

namespace {

constexpr std::string_view kOther = "(other)";

prices::PriceSource source_named(std::string_view name) {
    const auto* const found = std::ranges::find(prices::kPriceSourceNames, name);
    return static_cast<prices::PriceSource>(
        found == prices::kPriceSourceNames.end() ? 0 : found - prices::kPriceSourceNames.begin());
}

store::Columns<Kind> kind_columns() {
    using store::column;
    return {column("key", &Kind::key),
            column("alias", &Kind::alias),
            column("label", &Kind::label),
            column("provider", &Kind::provider),
            column("model", &Kind::model),
            column("zone", &Kind::zone),
            column("work", &Kind::work),
            store::text<Kind>(
                "source", [](const Kind& kind) { return prices::name_of(kind.source); },
                [](Kind& kind, const std::string& name) { kind.source = source_named(name); }),
            column("tier", &Kind::tier),
            column("outcome", &Kind::outcome),
            column("estimated", &Kind::estimated),
            column("team", &Kind::team),
            column("owner", &Kind::owner),
            column("workflow", &Kind::workflow)};
}

const store::Table<Kind>& kinds() {
    static const store::Table<Kind> table("cost_kinds", kind_columns());
    return table;
}

struct NumberedKind {
    std::int64_t id = 0;
    Kind kind;
};

const store::Table<NumberedKind>& numbered_kinds() {
    using N = NumberedKind;
    static const store::Table<N> table(
        "cost_kinds", store::both({store::column("id", &N::id)}, store::within(&N::kind, kind_columns())));
    return table;
}

// `period`: the name of its number.
store::Columns<PeriodSums> period_columns(std::string period) {
    using store::column;
    using P = PeriodSums;
    return store::both(
        {column(std::move(period), &P::period), column("kind", &P::kind)},
        store::within(&P::sums, {column("attempts", &Sums::attempts), column("input", &Sums::usage, &Usage::input),
                                 column("cached", &Sums::usage, &Usage::cached_input),
                                 column("cache_write", &Sums::usage, &Usage::cache_write),
                                 column("output", &Sums::usage, &Usage::output),
                                 column("reasoning", &Sums::usage, &Usage::reasoning), column("cost", &Sums::cost),
                                 column("total_ms", &Sums::total_ms)}));
}

// Puts in a row, or adds its sums to the one that is there. A sum that leaves SQLite's integers becomes a float there,
// which is larger than this one.
#define TANDEM_ADDED(column) column " = min(9000000000000000000, " column " + excluded." column ")"
std::string added_to(const store::Table<PeriodSums>& table, const std::string& period) {
    return table.into("INSERT", "ON CONFLICT (" + period + ", kind) DO UPDATE SET " TANDEM_ADDED("attempts") ", "
                                TANDEM_ADDED("input") ", " TANDEM_ADDED("cached") ", " TANDEM_ADDED("cache_write") ", "
                                TANDEM_ADDED("output") ", " TANDEM_ADDED("reasoning") ", " TANDEM_ADDED("cost") ", "
                                TANDEM_ADDED("total_ms"));
}

Result<std::int64_t> find_kind(store::Database& database, const Kind& kind) {
    static const auto kFind = kinds().find("id");
    auto row = database.prepare(kFind.c_str());
    kinds().bind(row, kind);
    const auto found = row.step();
    if (!found) return fail(found.error());
    return *found ? row.integer(0) : 0;
}

Result<std::int64_t> newest_kind(store::Database& database) {
    auto row = database.prepare("SELECT COALESCE(max(id), 0) FROM cost_kinds");
    if (const auto found = row.step(); !found) return fail(found.error());
    return row.integer(0);
}

Result<std::int64_t> insert_kind(store::Database& database, const Kind& kind) {
    static const auto kInsert = kinds().into("INSERT", "RETURNING id");
    auto row = database.prepare(kInsert.c_str());
    kinds().bind(row, kind);
    const auto inserted = row.step();
    if (!inserted) return fail(inserted.error());
    return row.integer(0);
}

Result<std::int64_t> kind_id(store::Database& database, Kind kind) {
    if (auto found = find_kind(database, kind); !found || *found != 0) return found;
    const auto newest = newest_kind(database);
    if (!newest) return newest;
    if (*newest >= kMostKinds) {
        kind.model = kind.alias = kind.workflow = kind.tier = kOther;
        if (auto found = find_kind(database, kind); !found || *found != 0) return found;
    }
    return insert_kind(database, kind);
}

Sums negative(const Sums& sums) {
    const auto& usage = sums.usage;
    return {-sums.attempts,
            {{-usage.input.count},
             {-usage.cached_input.count},
             {-usage.output.count},
             {-usage.reasoning.count},
             false,
             {-usage.cache_write.count}},
            Money::from_micros(-sums.cost.micros()),
            -sums.total_ms};
}

// Adds to the day `day` and to its month.
Result<> add(store::Database& database, std::int64_t kind, std::int64_t day, const Sums& sums) {
    static const auto kToDay = added_to(sums_of_days(), "day"), kToMonth = added_to(sums_of_months(), "month");
    if (auto ok = sums_of_days().run(database, kToDay, {day, kind, sums}); !ok) return ok;
    return sums_of_months().run(database, kToMonth, {month_of_day(day), kind, sums});
}

Result<> remove_empty(store::Database& database, std::int64_t kind, std::int64_t day) {
    if (auto ok = database.prepare("DELETE FROM cost_days WHERE day = ? AND kind = ? AND attempts = 0")
                      .bind(1, day)
                      .bind(2, kind)
                      .run();
        !ok)
        return ok;
    return database.prepare("DELETE FROM cost_months WHERE month = ? AND kind = ? AND attempts = 0")
        .bind(1, month_of_day(day))
        .bind(2, kind)
        .run();
}

std::string tier_in(const std::string& bill) {
    if (bill.find("\"tier\"") == std::string::npos) return {};
    json::Document document;
    return document.parse(bill) ? std::string(document.root()["tier"].text()) : std::string();
}

}  // namespace

Kind kind_of(const AttemptRecord& a) {
    return {a.key,    a.alias,         a.label,   a.provider,        a.model, a.zone,  a.work,
            a.source, tier_in(a.bill), a.outcome, a.usage.estimated, a.team,  a.owner, a.workflow};
}

Sums sums_of(const AttemptRecord& a) {
    auto usage = a.usage;
    usage.estimated = false;
    return {1, usage, a.cost, a.total_ms};
}

Sums& Sums::operator+=(const Sums& other) {
    attempts = saturating_sum(attempts, other.attempts);
    usage = usage + other.usage;
    cost += other.cost;
    total_ms = saturating_sum(total_ms, other.total_ms);
    return *this;
}

bool Sums::operator==(const Sums& other) const {
    return attempts == other.attempts && usage.input == other.usage.input &&
           usage.cached_input == other.usage.cached_input && usage.cache_write == other.usage.cache_write &&
           usage.output == other.usage.output && usage.reasoning == other.usage.reasoning && cost == other.cost &&
           total_ms == other.total_ms;
}

std::int64_t day_of(std::int64_t time_ms) {
    return time_ms / kDayMs;
}

std::int64_t month_of_day(std::int64_t day) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
    return static_cast<int>(date.year()) * 12 + static_cast<std::int64_t>(static_cast<unsigned>(date.month())) - 1;
}

std::int64_t first_day_of_month(std::int64_t month) {
    const auto date = std::chrono::year(static_cast<int>(month / 12)) /
                      std::chrono::month(static_cast<unsigned>(month % 12 + 1)) / std::chrono::day(1);
    return std::chrono::sys_days(date).time_since_epoch().count();
}

const store::Table<PeriodSums>& sums_of_days() {
    static const store::Table<PeriodSums> table("cost_days", period_columns("day"));
    return table;
}

const store::Table<PeriodSums>& sums_of_months() {
    static const store::Table<PeriodSums> table("cost_months", period_columns("month"));
    return table;
}

Result<> roll_up(store::Database& database, const AttemptRecord& attempt) {
    const auto kind = kind_id(database, kind_of(attempt));
    if (!kind) return fail(kind.error());
    return add(database, *kind, day_of(attempt.time), sums_of(attempt));
}

Result<> roll_back(store::Database& database, const AttemptRecord& attempt) {
    const auto kind = kind_id(database, kind_of(attempt));
    if (!kind) return fail(kind.error());
    const auto day = day_of(attempt.time);
    if (auto ok = add(database, *kind, day, negative(sums_of(attempt))); !ok) return ok;
    return remove_empty(database, *kind, day);
}

Result<std::vector<Kind>> all_kinds(store::Database& database) {
    static const auto kById = numbered_kinds().select("ORDER BY id");
    auto rows = database.prepare(kById.c_str());
    std::vector<Kind> kinds(1);
    auto ok = numbered_kinds().each(rows, [&](NumberedKind one) {
        kinds.resize(static_cast<std::size_t>(one.id) + 1);
        kinds.back() = std::move(one.kind);
    });
    if (!ok) return fail(ok.error());
    return kinds;
}

}  // namespace tandem::ledger::reports
