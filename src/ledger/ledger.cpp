#include "ledger/ledger.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/log.h"

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

std::int64_t window_end(config::Budget::Window window, WallTime now) {
    const auto start = window_start(window, now);
    switch (window) {
        case config::Budget::Window::hour:
            return start + kHour;
        case config::Budget::Window::day:
            return start + kDay;
        case config::Budget::Window::month:
            return window_start(window, WallTime(milliseconds(start + 32 * kDay)));
        case config::Budget::Window::total:
            break;
    }
    return 0;
}

// "2026-11-26 00:00 UTC"
std::string minute_text(std::int64_t ms) {
    const WallTime time{milliseconds(ms)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const auto minutes = (ms - std::chrono::duration_cast<milliseconds>(day.time_since_epoch()).count()) / kMinute;
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), minutes / 60,
                       minutes % 60);
}

// The first id that a decision can have one of whose attempts began at `since` or later. A request ends within a day
// (its deadline is far shorter), so an attempt begins at most a day after its decision.
std::string first_decision(std::int64_t since) {
    return DecisionId::first_of(WallTime(milliseconds(std::max<std::int64_t>(0, since - kDay)))).text();
}

// The columns of an attempt, in the order in which insert_attempt() and read_attempt() name them.
#define TANDEM_ATTEMPT_COLUMNS                                                                                     \
    "decision, number, time, key, provider, model, zone, outcome, status, error, first_byte_ms, total_ms, input, " \
    "cached, output, reasoning, estimated, cost, warnings, cache_write, source, bill"

// Of an old record: the owner's price where it cost something.
prices::PriceSource source_from(std::string_view name, Money cost) {
    const auto found = std::ranges::find(prices::kPriceSourceNames, name);
    if (found != prices::kPriceSourceNames.end())
        return static_cast<prices::PriceSource>(found - prices::kPriceSourceNames.begin());
    return cost == Money{} ? prices::PriceSource::free : prices::PriceSource::owner;
}

Result<> insert_attempt(store::Database& database, const AttemptRecord& a) {
    return database
        .prepare("INSERT INTO attempts (" TANDEM_ATTEMPT_COLUMNS
                 ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22)")
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
        .run();
}

AttemptRecord read_attempt(const store::Statement& rows) {
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
    a.usage = {{rows.integer(12)}, {rows.integer(13)},    {rows.integer(14)},
               {rows.integer(15)}, rows.integer(16) != 0, {rows.integer(19)}};
    a.cost = Money::from_micros(rows.integer(17));
    a.warnings = rows.text(18);
    a.source = source_from(rows.text(20), a.cost);
    a.bill = rows.text(21);
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
            "output, cost, source) VALUES (?,?,?,?,?,?,?,?,?,?,?)")
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
        .run();
}

Result<Lost> settle_lost(store::Store& store) {
    Lost lost;
    auto settled = store.run([&lost](store::Database& database) -> Result<> {
        lost = {};
        {
            auto row = database.prepare("SELECT count(*), COALESCE(sum(cost), 0) FROM open_attempts");
            if (const auto found = row.step(); !found) return fail(found.error());
            lost = {row.integer(0), Money::from_micros(row.integer(1))};
        }
        if (lost.attempts == 0) return {};
        auto ok = database
                      .prepare("INSERT OR IGNORE INTO attempts (" TANDEM_ATTEMPT_COLUMNS
                               ") SELECT decision, number, time, key, provider, model, zone, 'lost', 0, 'tandem ended "
                               "while it was under way; what was reserved for it is counted', -1, 0, input, 0, "
                               "output, 0, 1, cost, '', 0, source, '' FROM open_attempts")
                      .run();
        return ok ? database.prepare("DELETE FROM open_attempts").run() : ok;
    });
    if (!settled) return fail(settled.error());
    return lost;
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

// ---- budgets ----

void Rate::add(std::int64_t now_ms, std::int64_t count) {
    if (count == 0) return;
    const auto second = now_ms / 1000;
    auto& bucket = buckets_[static_cast<std::size_t>(second % kSeconds)];
    if (bucket.second != second) bucket = {second, now_ms, 0};
    bucket.last_ms = now_ms;
    bucket.count = saturating_sum(bucket.count, count);
}

std::int64_t Rate::sum(std::int64_t now_ms) const {
    std::int64_t sum = 0;
    for (const auto& bucket : buckets_)
        if (bucket.count > 0 && bucket.last_ms > now_ms - kMinute) sum = saturating_sum(sum, bucket.count);
    return sum;
}

std::int64_t Rate::ms_until(std::int64_t now_ms, std::int64_t most) const {
    std::int64_t until = now_ms;
    for (std::int64_t second = now_ms / 1000 - kSeconds + 1; second <= now_ms / 1000 && sum(until) > most; ++second) {
        const auto& bucket = buckets_[static_cast<std::size_t>((second % kSeconds + kSeconds) % kSeconds)];
        if (bucket.second == second && bucket.count > 0) until = std::max(until, bucket.last_ms + kMinute);
    }
    return until - now_ms;
}

Reservation::Reservation(Reservation&& other) noexcept
    : budgets_(std::exchange(other.budgets_, nullptr)),
      key_(std::move(other.key_)),
      amount_(other.amount_),
      tokens_(other.tokens_),
      start_(other.start_) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
    if (this != &other) {
        settle({}, {});
        budgets_ = std::exchange(other.budgets_, nullptr);
        key_ = std::move(other.key_);
        amount_ = other.amount_;
        tokens_ = other.tokens_;
        start_ = other.start_;
    }
    return *this;
}

Reservation::~Reservation() {
    settle({}, {});
}

void Reservation::settle(Money cost, Tokens tokens) {
    if (budgets_ != nullptr) std::exchange(budgets_, nullptr)->settle(*this, cost, tokens);
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

void Budgets::speak_of(std::string currency) {
    const std::lock_guard lock(mutex_);
    currency_ = std::move(currency);
}

Result<> Budgets::load(store::Store& store) {
    return store.run([this](store::Database& database) -> Result<> {
        const std::lock_guard lock(mutex_);
        const auto at = now();
        if (auto ok = load_windows(database, at); !ok) return ok;
        return load_rates(database, at);
    });
}

Result<> Budgets::load_windows(store::Database& database, WallTime now) {
    for (std::size_t w = 0; w < config::kWindowNames.size(); ++w) {
        const auto start = window_start(static_cast<config::Budget::Window>(w), now);
        auto rows = database.prepare(
            "SELECT key, sum(cost) FROM attempts WHERE decision >= ? AND time >= ? AND cost > 0 GROUP BY key");
        const auto first = first_decision(start);
        rows.bind(1, first).bind(2, start);
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) break;
            accounts_[rows.text(0)].windows[w] = {start, Money::from_micros(rows.integer(1)), {}};
        }
    }
    return {};
}

// What the last minute has seen, by when it ended.
Result<> Budgets::load_rates(store::Database& database, WallTime now) {
    const auto now_ms = now.time_since_epoch().count();
    const auto first = first_decision(now_ms);
    const auto at = [&](std::int64_t time) { return steady_ms() - std::max<std::int64_t>(0, now_ms - time); };
    auto used = database.prepare(
        "SELECT key, time + total_ms, input + output FROM attempts WHERE decision >= ?1 AND time + total_ms > ?2 ORDER "
        "BY 2");
    used.bind(1, first).bind(2, now_ms - kMinute);
    while (true) {
        const auto row = used.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        accounts_[used.text(0)].tokens.add(at(used.integer(1)), used.integer(2));
    }
    auto asked = database.prepare("SELECT key, time FROM decisions WHERE id >= ?1 AND time > ?2 ORDER BY 2");
    asked.bind(1, first).bind(2, now_ms - kMinute);
    while (true) {
        const auto row = asked.step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        accounts_[asked.text(0)].requests.add(at(asked.integer(1)), 1);
    }
}

// The time, which never goes back: where the clock does, it goes on from the latest that was seen. The mutex is held.
WallTime Budgets::now() const {
    const auto wall = clock_.wall();
    const auto steady = clock_.steady();
    const auto passed = std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(steady - latest_at_));
    if (latest_ != WallTime{} && wall < latest_ + passed) return latest_ + passed;
    latest_ = wall;
    latest_at_ = steady;
    return wall;
}

// For rates. The mutex is held.
std::int64_t Budgets::steady_ms() const {
    const auto now = std::chrono::duration_cast<milliseconds>(clock_.steady().time_since_epoch()).count();
    return steady_ms_ = std::max(steady_ms_, now);
}

// The account, with its windows moved on to now. The mutex is held.
Budgets::Account& Budgets::account_now(const std::string& key) const {
    auto& account = accounts_[key];
    const auto at = now();
    for (std::size_t w = 0; w < config::kWindowNames.size(); ++w) {
        const auto start = window_start(static_cast<config::Budget::Window>(w), at);
        if (account.windows[w].start < start) account.windows[w] = {start, {}, {}};
    }
    return account;
}

namespace {

// Where the owner writes what a principal may spend or use.
std::string field_of(const access::Principal& who, std::string_view field) {
    const auto& id = who.id();
    if (who.kind() == access::Principal::Kind::internal)
        return fmt::format("experiments.{}.budget", id.substr(std::min(id.size(), id.find(':') + 1)));
    return fmt::format("keys.{}.{}", id.substr(0, id.find('@')), field);
}

}  // namespace

// A budget that has no room for the amount. What it says of the time to come: a window ends, and what is reserved may
// come back; what a whole budget does not hold never fits.
Error Budgets::denied_by(const access::Principal& key, std::size_t place, const Account& account, Money amount,
                         Amount says) const {
    constexpr long long kSoon = 5;  // seconds: reserved money comes back when a request ends
    const auto& budget = key.budgets[place];
    const bool total = budget.window == config::Budget::Window::total;
    const auto index = static_cast<std::size_t>(budget.window);
    const auto spent = account.windows[index].spent;
    const auto currency = currency_.empty() ? std::string() : " " + currency_;
    const auto money = [&](Money m) { return m.text() + currency; };
    const auto end = total ? 0 : window_end(budget.window, now());
    const bool whole = amount > budget.limit;
    const bool only_reserved = spent + amount <= budget.limit;
    Error error{ErrorCode::over_budget, {}};
    error.certain = whole || (total && !only_reserved);
    if (only_reserved)
        error.again_in = kSoon;
    else if (!error.certain)
        error.again_in = std::max<std::int64_t>(1, (end - now().time_since_epoch().count() + 999) / 1000);
    const auto needs =
        says == Amount::said ? fmt::format("this needs up to {}", money(amount)) : std::string("this may need more");
    std::string hope = "; ask for fewer tokens, ";
    if (whole)
        hope = ", and the whole budget is less; ask for fewer tokens, ";
    else if (only_reserved)
        hope = "; ask for fewer tokens, wait until requests under way have ended, ";
    else if (total)
        hope = "; it does not come back; ask for fewer tokens, ";
    else
        hope += "wait until then, ";
    error.message = fmt::format(
        "the budget of {} {} of the key '{}' has {} left{} ({} spent, {} reserved for requests under way), and {}{}or "
        "raise {} in tandem.yaml",
        money(budget.limit), total ? "in total" : fmt::format("per {}", config::kWindowNames[index]), key.id(),
        money(std::max(Money{}, budget.limit - spent - account.reserved)),
        total ? "" : fmt::format(" until {}", minute_text(end)), money(spent), money(account.reserved), needs, hope,
        field_of(key, fmt::format("budgets[{}].limit", place)));
    return error;
}

void Budgets::tell_no_room(const access::Principal& key, const config::Budget& budget, const Window& window,
                           Money reserved) const {
    log::Line(log::Level::warning, "a budget has no room")
        .add("key", key.id())
        .add("window", config::kWindowNames[static_cast<std::size_t>(budget.window)])
        .add_number("limit", budget.limit.text())
        .add_number("left", std::max(Money{}, budget.limit - window.spent - reserved).text())
        .add("currency", currency_);
}

std::optional<Error> Budgets::denied_locked(const access::Principal& key, Account& account, Money amount,
                                            Amount says) const {
    // A budget of money binds what costs money: a model at home goes on, also where more was spent than the limit.
    if (amount == Money{}) return {};
    std::optional<Error> worst;
    for (std::size_t i = 0; i < key.budgets.size(); ++i) {
        const auto& budget = key.budgets[i];
        auto& window = account.windows[static_cast<std::size_t>(budget.window)];
        if (window.spent + account.reserved + amount <= budget.limit) continue;
        auto error = denied_by(key, i, account, amount, says);
        if (std::exchange(window.told, budget.limit) != budget.limit)
            tell_no_room(key, budget, window, account.reserved);
        const bool longer = !worst || (!worst->certain && (error.certain || error.again_in > worst->again_in));
        if (longer) worst = std::move(error);
    }
    return worst;
}

std::optional<Error> Budgets::denied(const access::Principal& key, Money amount) const {
    if (key.budgets.empty()) return {};
    const std::lock_guard lock(mutex_);
    return denied_locked(key, account_now(key.id()), amount, Amount::said);
}

std::string Budgets::refusal(const access::Principal& key, Money amount) const {
    const auto error = denied(key, amount);
    return error ? error->message : std::string();
}

Money Budgets::spent(const std::string& key, config::Budget::Window window) const {
    const std::lock_guard lock(mutex_);
    return account_now(key).windows[static_cast<std::size_t>(window)].spent;
}

std::int64_t Budgets::end_of(config::Budget::Window window) const {
    const std::lock_guard lock(mutex_);
    return window_end(window, now());
}

std::string Budgets::refusal_of_any(const access::Principal& key, Money amount) const {
    if (key.budgets.empty()) return {};
    const std::lock_guard lock(mutex_);
    const auto error = denied_locked(key, account_now(key.id()), amount, Amount::left_out);
    return error ? error->message : std::string();
}

namespace {

std::unexpected<Error> limited(std::string message, long long again_in) {
    Error error{ErrorCode::rate_limited, std::move(message)};
    error.again_in = std::max(1LL, again_in);
    return fail(std::move(error));
}

}  // namespace

Result<Admission> Budgets::admit(const access::Principal& key) {
    constexpr long long kSoon = 1;  // seconds; nobody knows when a request ends
    const std::lock_guard lock(mutex_);
    auto& account = account_now(key.id());
    const auto at = steady_ms();
    const auto most = key.limits.requests_per_minute;
    if (key.limits.concurrency > 0 && account.running >= key.limits.concurrency)
        return limited(fmt::format("the key '{}' may have {} requests under way at once; wait for one to end, or raise "
                                   "{} in tandem.yaml",
                                   key.id(), key.limits.concurrency, field_of(key, "limits.concurrency")),
                       kSoon);
    if (most > 0 && account.requests.sum(at) >= most) {
        const auto wait = std::max<long long>(1, (account.requests.ms_until(at, most - 1) + 999) / 1000);
        return limited(fmt::format("the key '{}' may send {} requests in 60 seconds; try again in {} s, or raise {} in "
                                   "tandem.yaml",
                                   key.id(), most, wait, field_of(key, "limits.rpm")),
                       wait);
    }
    // Counted for keys without limits too: a reload of the config may give them some.
    account.requests.add(at, 1);
    ++account.running;
    return Admission(this, key.id());
}

// Whether so much more may be taken. Errors: over_budget, rate_limited. The mutex is held.
Result<> Budgets::may_take(const access::Principal& key, Account& account, Money amount, Tokens tokens) const {
    if (auto error = denied_locked(key, account, amount, Amount::said)) return fail(std::move(*error));
    const auto most = key.limits.tokens_per_minute;
    if (most == 0) return {};
    const auto at = steady_ms();
    const auto wanted = account.reserved_tokens + tokens;
    if (account.tokens.sum(at) <= most - std::min(most, wanted.count) && wanted.count <= most) return {};
    const auto field = field_of(key, "limits.tpm");
    if (tokens.count > most) {
        Error error{ErrorCode::rate_limited,
                    fmt::format("the key '{}' may use {} tokens in 60 seconds, and this needs up to {}: it never fits; "
                                "ask for fewer tokens, or raise {} in tandem.yaml",
                                key.id(), most, tokens.count, field)};
        error.certain = true;
        return fail(std::move(error));
    }
    const auto wait = std::max<long long>(
        1, (account.tokens.ms_until(at, std::max<std::int64_t>(0, most - wanted.count)) + 999) / 1000);
    return limited(
        fmt::format("the key '{}' may use {} tokens in 60 seconds, of which {} are used and {} reserved for "
                    "requests under way, and this needs up to {}; try again in {} s, or raise {} in "
                    "tandem.yaml",
                    key.id(), most, account.tokens.sum(at), account.reserved_tokens.count, tokens.count, wait, field),
        wait);
}

Result<Reservation> Budgets::reserve(const access::Principal& key, Money amount, Tokens tokens) {
    // Kept for keys without limits too: a reload of the config may give them some.
    const std::lock_guard lock(mutex_);
    auto& account = account_now(key.id());
    if (auto may = may_take(key, account, amount, tokens); !may) return fail(may.error());
    account.reserved += amount;
    account.reserved_tokens = account.reserved_tokens + tokens;
    return Reservation(this, key.id(), amount, tokens, now());
}

bool Budgets::extend(const access::Principal& key, Reservation& reservation, Money amount, Tokens tokens) {
    const std::lock_guard lock(mutex_);
    if (reservation.budgets_ != this) return false;
    auto& account = account_now(key.id());
    if (!may_take(key, account, amount, tokens)) return false;
    account.reserved += amount;
    account.reserved_tokens = account.reserved_tokens + tokens;
    reservation.amount_ += amount;
    reservation.tokens_ = reservation.tokens_ + tokens;
    return true;
}

void Budgets::settle(const Reservation& reservation, Money cost, Tokens tokens) {
    const std::lock_guard lock(mutex_);
    auto& account = account_now(reservation.key_);
    account.reserved -= reservation.amount_;
    account.reserved_tokens = {std::max<std::int64_t>(0, account.reserved_tokens.count - reservation.tokens_.count)};
    account.tokens.add(steady_ms(), tokens.count);
    // Spent where it began, as the ledger adds it up after a restart.
    for (std::size_t w = 0; w < config::kWindowNames.size(); ++w)
        if (window_start(static_cast<config::Budget::Window>(w), reservation.start_) == account.windows[w].start)
            account.windows[w].spent += cost;
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
        for (const auto& attempt : attempts) {
            if (auto ok = insert_attempt(database, attempt); !ok) return ok;
            if (auto ok = close_attempt(database, attempt); !ok) return ok;
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

Result<std::vector<CostRow>> cost_by(store::Database& database, CostBy by, std::int64_t since) {
    static constexpr std::array<const char*, 4> kQueries = {
#define TANDEM_COST_QUERY(group)                                                                                      \
    "SELECT " group                                                                                                   \
    ", count(*), sum(input), sum(cached), sum(output), sum(reasoning), max(estimated), sum(cost), sum(cache_write), " \
    "source FROM attempts WHERE decision >= ? AND time >= ? GROUP BY 1, source"
        TANDEM_COST_QUERY("model"), TANDEM_COST_QUERY("CASE zone WHEN 0 THEN 'local' ELSE 'cloud' END"),
        TANDEM_COST_QUERY("key"), TANDEM_COST_QUERY("date(time / 1000, 'unixepoch')")};
#undef TANDEM_COST_QUERY
    auto rows = database.prepare(kQueries[static_cast<std::size_t>(by)]);
    const auto first = first_decision(since);
    rows.bind(1, first).bind(2, since);
    std::map<std::string, CostRow> groups;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        const auto cost = Money::from_micros(rows.integer(7));
        const auto source = source_from(rows.text(9), cost);
        auto& group = groups[rows.text(0)];
        group.group = rows.text(0);
        group.attempts += rows.integer(1);
        group.usage = group.usage + Usage{{rows.integer(2)}, {rows.integer(3)},    {rows.integer(4)},
                                          {rows.integer(5)}, rows.integer(6) != 0, {rows.integer(8)}};
        group.cost += cost;
        group.sources[source] += cost;
        if (source == prices::PriceSource::unknown) group.unpriced += rows.integer(1);
    }
    std::vector<CostRow> result;
    for (auto& [name, group] : groups) result.push_back(std::move(group));
    std::ranges::sort(result, [](const CostRow& one, const CostRow& other) {
        return one.cost != other.cost ? one.cost > other.cost : one.group < other.group;
    });
    return result;
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
