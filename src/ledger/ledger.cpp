#include "ledger/ledger.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

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

namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// Where the window that `now` lies in began, in UTC.
std::int64_t window_start(config::Budget::Window window, WallTime now) {
    const auto ms = now.time_since_epoch().count();
    switch (window) {
        case config::Budget::Window::hour:
            return ms - ms % kHour;
        case config::Budget::Window::day:
            return ms - ms % kDay;
        case config::Budget::Window::month: {
            const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(now));
            return std::chrono::time_point_cast<milliseconds>(std::chrono::sys_days(date.year() / date.month() / 1))
                .time_since_epoch()
                .count();
        }
        case config::Budget::Window::total:
            return 0;
    }
    return 0;
}

Result<> insert_attempt(store::Database& database, const AttemptRecord& a) {
    return database.prepare("INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
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

// ---- budgets ----

Reservation::Reservation(Reservation&& other) noexcept
    : budgets_(std::exchange(other.budgets_, nullptr)),
      key_(std::move(other.key_)),
      amount_(other.amount_),
      tokens_(other.tokens_) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
    if (this != &other) {
        settle({}, {});
        budgets_ = std::exchange(other.budgets_, nullptr);
        key_ = std::move(other.key_);
        amount_ = other.amount_;
        tokens_ = other.tokens_;
    }
    return *this;
}

Reservation::~Reservation() {
    settle({}, {});
}

void Reservation::settle(Money cost, Tokens tokens) {
    if (budgets_ != nullptr) std::exchange(budgets_, nullptr)->settle(key_, amount_, tokens_, cost, tokens);
}

Admission& Admission::operator=(Admission&& other) noexcept {
    if (this != &other) {
        if (budgets_ != nullptr) budgets_->leave(key_);
        budgets_ = std::exchange(other.budgets_, nullptr);
        key_ = std::move(other.key_);
    }
    return *this;
}

Admission::~Admission() {
    if (budgets_ != nullptr) budgets_->leave(key_);
}

Result<> Budgets::load(store::Store& store) {
    const auto now = clock_.wall();
    return store.run([this, now](store::Database& database) -> Result<> {
        const std::lock_guard lock(mutex_);
        for (std::size_t w = 0; w < config::kWindowNames.size(); ++w) {
            const auto start = window_start(static_cast<config::Budget::Window>(w), now);
            auto rows = database.prepare(
                "SELECT key, sum(cost) FROM attempts WHERE decision >= ? AND time >= ? AND cost > 0 GROUP BY key");
            const auto first = DecisionId::first_of(WallTime(milliseconds(start)));
            rows.bind(1, first.text()).bind(2, start);
            while (true) {
                const auto row = rows.step();
                if (!row) return fail(row.error());
                if (!*row) break;
                accounts_[rows.text(0)].windows[w] = {start, Money::from_micros(rows.integer(1))};
            }
        }
        return {};
    });
}

// The account, with its windows and its minute moved on to now. The mutex is held.
Budgets::Account& Budgets::account_now(const std::string& key) const {
    auto& account = accounts_[key];
    const auto now = clock_.wall();
    const auto minute = now.time_since_epoch().count() / kMinute;
    if (account.minute == minute) return account;  // every window begins with a minute
    for (std::size_t w = 0; w < config::kWindowNames.size(); ++w) {
        const auto start = window_start(static_cast<config::Budget::Window>(w), now);
        if (account.windows[w].start != start) account.windows[w] = {start, {}};
    }
    account.minute = minute;
    account.requests = 0;
    account.tokens = 0;
    return account;
}

std::string Budgets::refusal_locked(const access::Principal& key, Account& account, Money amount) const {
    for (const auto& budget : key.budgets) {
        const auto index = static_cast<std::size_t>(budget.window);
        const Money taken = account.windows[index].spent + account.reserved;
        if (taken + amount > budget.limit)
            return fmt::format("the budget of {} per {} has {} left, and this needs up to {}", budget.limit.text(),
                               config::kWindowNames[index], std::max(Money{}, budget.limit - taken).text(),
                               amount.text());
    }
    return {};
}

std::string Budgets::refusal(const access::Principal& key, Money amount) const {
    if (key.budgets.empty()) return {};
    const std::lock_guard lock(mutex_);
    return refusal_locked(key, account_now(key.id()), amount);
}

Result<Admission> Budgets::admit(const access::Principal& key) {
    if (key.limits.requests_per_minute == 0 && key.limits.concurrency == 0) return Admission();
    const std::lock_guard lock(mutex_);
    auto& account = account_now(key.id());
    if (key.limits.concurrency > 0 && account.running >= key.limits.concurrency)
        return fail(ErrorCode::rate_limited,
                    fmt::format("the key '{}' may have {} requests under way; wait for one to end", key.id(),
                                key.limits.concurrency));
    if (key.limits.requests_per_minute > 0 && account.requests >= key.limits.requests_per_minute)
        return fail(ErrorCode::rate_limited,
                    fmt::format("the key '{}' may send {} requests a minute; try again when the minute is over",
                                key.id(), key.limits.requests_per_minute));
    ++account.requests;
    ++account.running;
    return Admission(this, key.id());
}

Result<Reservation> Budgets::reserve(const access::Principal& key, Money amount, Tokens tokens) {
    // Kept for keys without limits too: a reload of the config may give them some.
    const std::lock_guard lock(mutex_);
    auto& account = account_now(key.id());
    if (auto reason = refusal_locked(key, account, amount); !reason.empty())
        return fail(ErrorCode::over_budget, std::move(reason));
    if (key.limits.tokens_per_minute > 0 && account.tokens + tokens.count > key.limits.tokens_per_minute)
        return fail(ErrorCode::rate_limited,
                    fmt::format("the key '{}' may use {} tokens a minute; try again when the minute is over", key.id(),
                                key.limits.tokens_per_minute));
    account.reserved += amount;
    account.tokens += tokens.count;
    return Reservation(this, key.id(), amount, tokens);
}

void Budgets::settle(const std::string& key, Money reserved, Tokens reserved_tokens, Money cost, Tokens tokens) {
    const std::lock_guard lock(mutex_);
    auto& account = account_now(key);
    account.reserved -= reserved;
    for (auto& window : account.windows) window.spent += cost;
    account.tokens = std::max<std::int64_t>(0, account.tokens - reserved_tokens.count + tokens.count);
}

void Budgets::leave(const std::string& key) {
    const std::lock_guard lock(mutex_);
    --accounts_[key].running;
}

// ---- ledger ----

store::Store::Job Ledger::closing_job(std::vector<AttemptRecord> attempts, store::Store::Job also) {
    return [this, attempts = std::move(attempts), also = std::move(also),
            metered = false](store::Database& database) mutable -> Result<> {
        if (also)
            if (auto ok = also(database); !ok) return ok;
        for (const auto& attempt : attempts)
            if (auto ok = insert_attempt(database, attempt); !ok) return ok;
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

Result<std::vector<CostRow>> cost_by(store::Database& database, CostBy by, std::int64_t since) {
    static constexpr std::array<const char*, 4> kQueries = {
#define TANDEM_COST_QUERY(group)                                                                                       \
    "SELECT " group                                                                                                    \
    ", count(*), sum(input), sum(cached), sum(output), sum(reasoning), max(estimated), sum(cost) FROM attempts WHERE " \
    "decision >= ? AND time >= ? GROUP BY 1 ORDER BY sum(cost) DESC, 1"
        TANDEM_COST_QUERY("model"), TANDEM_COST_QUERY("CASE zone WHEN 0 THEN 'local' ELSE 'cloud' END"),
        TANDEM_COST_QUERY("key"), TANDEM_COST_QUERY("date(time / 1000, 'unixepoch')")};
#undef TANDEM_COST_QUERY
    auto rows = database.prepare(kQueries[static_cast<std::size_t>(by)]);
    const auto first = DecisionId::first_of(WallTime(milliseconds(since)));
    rows.bind(1, first.text()).bind(2, since);
    std::vector<CostRow> result;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return result;
        result.push_back(
            {rows.text(0), rows.integer(1),
             Usage{{rows.integer(2)}, {rows.integer(3)}, {rows.integer(4)}, {rows.integer(5)}, rows.integer(6) != 0},
             Money::from_micros(rows.integer(7))});
    }
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

Result<std::vector<AttemptRecord>> attempts_of(store::Database& database, const std::string& decision) {
    auto rows = database.prepare("SELECT * FROM attempts WHERE decision = ? ORDER BY number");
    rows.bind(1, decision);
    std::vector<AttemptRecord> result;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return result;
        AttemptRecord a;
        a.decision = DecisionId::from_text(rows.text(0));
        a.number = static_cast<int>(rows.integer(1));
        a.time = rows.integer(2);
        a.key = rows.text(3);
        a.provider = rows.text(4);
        a.model = rows.text(5);
        a.zone = static_cast<Zone>(rows.integer(6));
        a.outcome = rows.text(7);
        a.status = static_cast<int>(rows.integer(8));
        a.error = rows.text(9);
        a.first_byte_ms = rows.integer(10);
        a.total_ms = rows.integer(11);
        a.usage = {
            {rows.integer(12)}, {rows.integer(13)}, {rows.integer(14)}, {rows.integer(15)}, rows.integer(16) != 0};
        a.cost = Money::from_micros(rows.integer(17));
        a.warnings = rows.text(18);
        result.push_back(std::move(a));
    }
}

}  // namespace tandem::ledger
