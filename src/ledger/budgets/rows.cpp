// The rows of windows: how they are read, added to and checked.

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/json.h"
#include "base/log.h"
#include "ledger/budgets/budgets.h"
#include "ledger/span.h"
#include "store/row.h"

namespace tandem::ledger {

const char* const kBudgetsSchema =
    "CREATE TABLE budget_windows (counter TEXT NOT NULL, start INTEGER NOT NULL, until INTEGER NOT NULL, cost INTEGER "
    "NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (counter, start)) STRICT, WITHOUT ROWID;"
    // What there is to tell of budgets: once for each threshold of a window. What is told is `told`.
    "CREATE TABLE budget_alerts (budget TEXT NOT NULL, start INTEGER NOT NULL, percent INTEGER NOT NULL, time INTEGER "
    "NOT "
    "NULL, detail TEXT NOT NULL, told INTEGER NOT NULL, PRIMARY KEY (budget, start, percent)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX budget_alerts_to_tell ON budget_alerts (told) WHERE told = 0;";

namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kKeptDays = 35;         // of windows that are over
constexpr std::int64_t kAlertsKeptDays = 400;  // of what was told

// What a counter has in one of its cells, or gets more there.
struct Window {
    std::string_view counter;
    Counter::Cell cell;
    Spent spent;
};

const store::Table<Window>& windows() {
    using store::column;
    using W = Window;
    static const store::Table<W> table(
        "budget_windows", {column("counter", &W::counter), column("start", &W::cell, &Counter::Cell::start),
                           column("until", &W::cell, &Counter::Cell::until), column("cost", &W::spent, &Spent::cost),
                           column("tokens", &W::spent, &Spent::tokens)});
    return table;
}

// Adds to a row; what the row has then. Errors: storage.
Result<Spent> add_row(store::Database& database, const Window& window) {
    static const auto kAdd = windows().into(
        "INSERT",
        "ON CONFLICT (counter, start) DO UPDATE SET cost = cost + excluded.cost, tokens = tokens + excluded.tokens "
        "RETURNING cost, tokens");
    auto row = database.prepare(kAdd.c_str());
    windows().bind(row, window);
    if (const auto found = row.step(); !found) return fail(found.error());
    const Spent sum{Money::from_micros(row.integer(0)), {row.integer(1)}};
    if (const auto end = row.step(); !end) return fail(end.error());
    return sum;
}

// What all cells of a window that rolls have now. Errors: storage.
Result<Spent> sum_of(store::Database& database, const std::string& counter, std::int64_t now) {
    auto row = database.prepare(
        "SELECT COALESCE(sum(cost), 0), COALESCE(sum(tokens), 0) FROM budget_windows WHERE counter = ?1 AND until > "
        "?2");
    row.bind(1, counter).bind(2, now);
    if (const auto found = row.step(); !found) return fail(found.error());
    return Spent{Money::from_micros(row.integer(0)), {row.integer(1)}};
}

// The columns of `attempts` or `cost_kinds` that a subject is made of.
store::Columns<Subject> subject_columns() {
    using store::column;
    return {column("key", &Subject::key),           column("team", &Subject::team),
            column("owner", &Subject::owner),       column("workflow", &Subject::workflow),
            column("alias", &Subject::alias),       store::label("label", &Subject::label),
            column("provider", &Subject::provider), column("model", &Subject::model)};
}

struct Used {
    Subject subject;
    std::int64_t time = 0;  // milliseconds since 1970
    Spent spent;
};

// What all attempts came to, those included whose rows are deleted (ledger/reports). Errors: storage.
Result<> each_sum(store::Database& database, const std::function<void(const Subject&, Spent)>& visit) {
    using store::column;
    static const store::Selection<Used> sums(
        "cost_months m JOIN cost_kinds k ON k.id = m.kind",
        store::both(store::within(&Used::subject, subject_columns(), "k"),
                    {column("sum(m.cost)", &Used::spent, &Spent::cost),
                     column("sum(m.input + m.output)", &Used::spent, &Spent::tokens)}));
    static const auto kByKind = sums.select("GROUP BY k.id");
    auto rows = database.prepare(kByKind.c_str());
    return sums.each(rows, [&](const Used& used) { visit(used.subject, used.spent); });
}

// Every attempt since then that used or cost something. Errors: storage.
Result<> each_spent(store::Database& database, std::int64_t since,
                    const std::function<void(const Subject&, WallTime begun, Spent)>& visit) {
    using store::column;
    static const store::Selection<Used> attempts(
        "attempts", store::both(store::within(&Used::subject, subject_columns()),
                                {column("time", &Used::time), column("cost", &Used::spent, &Spent::cost),
                                 column("input + output", &Used::spent, &Spent::tokens)}));
    static const auto kSince =
        attempts.select("WHERE decision >= ?1 AND time >= ?2 AND (cost > 0 OR input + output > 0)");
    auto rows = database.prepare(kSince.c_str());
    const auto first = first_decision(since);
    rows.bind(1, first).bind(2, since);
    return attempts.each(rows,
                         [&](const Used& used) { visit(used.subject, WallTime(milliseconds(used.time)), used.spent); });
}

// Every attempt that ended after `since`, in the order of their ends, and when that was. Errors: storage.
Result<> each_ended(store::Database& database, std::int64_t since,
                    const std::function<void(const Subject&, std::int64_t ended, Tokens)>& visit) {
    using store::column;
    static const store::Selection<Used> attempts(
        "attempts",
        store::both(store::within(&Used::subject, subject_columns()),
                    {column("time + total_ms", &Used::time), column("input + output", &Used::spent, &Spent::tokens)}));
    static const auto kSince =
        attempts.select("WHERE decision >= ?1 AND time + total_ms > ?2 ORDER BY time + total_ms");
    auto rows = database.prepare(kSince.c_str());
    const auto first = first_decision(since);
    rows.bind(1, first).bind(2, since);
    return attempts.each(rows, [&](const Used& used) { visit(used.subject, used.time, used.spent.tokens); });
}

enum class Why { reached, no_room };

std::string detail_of(const config::Budget& budget, int percent, const Spent& spent, std::int64_t until,
                      const std::string& currency, Why why) {
    json::Writer out;
    out.begin_object().member("budget", budget.field).member("of", text_of(budget.of));
    if (!budget.of.key.empty()) out.member("key", budget.of.key);
    if (!budget.of.team.empty()) out.member("team", budget.of.team);
    if (!budget.of.owner.empty()) out.member("owner", budget.of.owner);
    if (!budget.of.workflow.empty()) out.member("workflow", budget.of.workflow);
    out.member("window", config::text_of(budget.window)).member("percent", std::int64_t{percent});
    if (why == Why::no_room) out.member("no_room", true);
    if (budget.limit) {
        out.member("limit", budget.limit->text()).member("spent", spent.cost.text());
        out.member("currency", currency);
    } else {
        out.member("limit_tokens", budget.tokens).member("spent_tokens", spent.tokens.count);
    }
    if (budget.window.period && until > 0) out.member("ends", minute_text(until, budget.window.zone));
    return out.end_object().take();
}

// What alerts know a budget by: what it counts, and its limit.
std::string name_of(const std::string& counter, const config::Budget& budget) {
    return budget.limit ? fmt::format("{}|{}", counter, budget.limit->micros())
                        : fmt::format("{}|{} tokens", counter, budget.tokens);
}

struct Telling {
    const std::vector<int>& thresholds;
    const std::string& currency;
    std::int64_t now = 0;
};

// Notes the highest threshold that is reached, unless that was noted in this window; those below count as told. Whether
// there is something to tell. Errors: storage.
Result<bool> note_crossing(store::Database& database, const std::string& counter, const config::Budget& budget,
                           std::int64_t start, std::int64_t until, const Spent& spent, const Telling& telling) {
    const auto limit = budget.limit ? budget.limit->micros() : budget.tokens;
    const auto sum = budget.limit ? spent.cost.micros() : spent.tokens.count;
    const auto name = name_of(counter, budget);
    bool top = true, any = false;
    for (auto at = telling.thresholds.rbegin(); at != telling.thresholds.rend(); ++at) {
        if (static_cast<double>(sum) * 100 < static_cast<double>(limit) * *at || limit == 0) continue;
        const auto detail = detail_of(budget, *at, spent, until, telling.currency, Why::reached);
        const auto is_new =
            note_alert(database, {name, start, *at, telling.now, detail}, top ? AlertState::to_tell : AlertState::told);
        if (!is_new) return is_new;
        any = any || (top && *is_new);
        if (!*is_new) break;  // those below were noted with it
        top = false;
    }
    return any;
}

bool is_total(const Counter& counter) {
    return counter.window().period == Period::total;
}

// Removes what nobody asks about any more: rows of counters that `keep` refuses, of windows and alerts long over.
// Errors: storage.
Result<> remove_old(store::Database& database, std::int64_t now,
                    const std::function<bool(const std::string& counter)>& keep) {
    auto known = database.prepare("SELECT DISTINCT counter FROM budget_windows");
    std::vector<std::string> left;
    while (true) {
        const auto row = known.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        if (auto id = known.text(0); !keep(id)) left.push_back(std::move(id));
    }
    for (const auto& id : left)
        if (auto ok = database.prepare("DELETE FROM budget_windows WHERE counter = ?").bind(1, id).run(); !ok)
            return ok;
    if (auto ok = database.prepare("DELETE FROM budget_windows WHERE until > 0 AND until < ?")
                      .bind(1, now - kKeptDays * kDay)
                      .run();
        !ok)
        return ok;
    return database.prepare("DELETE FROM budget_alerts WHERE told = 1 AND time < ? AND start > 0")
        .bind(1, now - kAlertsKeptDays * kDay)
        .run();
}

// Whether a counter's windows under way have rows, which it takes over. Errors: storage.
Result<bool> read_rows(store::Database& database, Counter& counter, WallTime at) {
    auto rows = database.prepare(
        "SELECT start, until, cost, tokens FROM budget_windows WHERE counter = ?1 AND (until = 0 OR until > ?2)");
    rows.bind(1, counter.id()).bind(2, unix_ms(at));
    bool any = false;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return any;
        any = true;
        counter.add({rows.integer(0), rows.integer(1)}, {Money::from_micros(rows.integer(2)), {rows.integer(3)}}, at);
    }
}

}  // namespace

namespace {

struct AlertRow {
    Alert alert;
    bool told = false;
};

const store::Table<AlertRow>& alerts() {
    using store::column;
    using A = AlertRow;
    static const store::Table<A> table(
        "budget_alerts", {column("budget", &A::alert, &Alert::budget), column("start", &A::alert, &Alert::start),
                          column("percent", &A::alert, &Alert::percent), column("time", &A::alert, &Alert::time),
                          column("detail", &A::alert, &Alert::detail), column("told", &A::told)});
    return table;
}

}  // namespace

Result<bool> note_alert(store::Database& database, Alert alert, AlertState state) {
    if (auto ok = alerts().insert_new(database, {std::move(alert), state == AlertState::told}); !ok)
        return fail(ok.error());
    return database.changes() > 0;
}

// Reads the windows under way of counters that were not there before. `first`: at the start, where a row of a window
// means that all of it is there, since rows of counters without a budget are removed; else a counter's rows are made
// anew from the ledger.
Result<> Budgets::load_windows(store::Database& database, const std::vector<std::shared_ptr<Counter>>& unknown,
                               bool first) {
    const std::lock_guard lock(mutex_);
    const auto at = now();
    std::unordered_set<std::string> anew;
    if (!first)
        for (const auto& counter : unknown) anew.insert(counter->id());
    const auto removed = remove_old(
        database, unix_ms(at), [&](const std::string& id) { return counters_.contains(id) && !anew.contains(id); });
    if (!removed) return removed;
    std::vector<std::shared_ptr<Counter>> without;
    auto since = unix_ms(at);
    for (const auto& counter : unknown) {
        const auto any = read_rows(database, *counter, at);
        if (!any) return fail(any.error());
        if (*any) continue;
        without.push_back(counter);
        if (!is_total(*counter)) since = std::min(since, counter->start(at));
    }
    if (without.empty()) return {};
    std::map<std::pair<std::string, std::int64_t>, std::pair<Counter::Cell, Spent>> sums;
    // So that the window has a row from now on, also where nothing was spent.
    for (const auto& counter : without) sums[{counter->id(), counter->cell_at(at).start}] = {counter->cell_at(at), {}};
    const auto read = each_spent(database, since, [&](const Subject& subject, WallTime begun, Spent spent) {
        for (const auto& counter : without) {
            if (is_total(*counter) || !counts_now(counter->of(), subject) || unix_ms(begun) < counter->start(at))
                continue;
            const auto cell = counter->cell_at(begun);
            auto& sum = sums[{counter->id(), cell.start}];
            sum = {cell, {sum.second.cost + spent.cost, sum.second.tokens + spent.tokens}};
            counter->add(cell, spent, at);
        }
    });
    if (!read) return read;
    if (std::ranges::any_of(without, [](const auto& counter) { return is_total(*counter); })) {
        const auto all = each_sum(database, [&](const Subject& subject, Spent spent) {
            for (const auto& counter : without) {
                if (!is_total(*counter) || !counts_now(counter->of(), subject)) continue;
                auto& sum = sums[{counter->id(), 0}];
                sum = {{}, {sum.second.cost + spent.cost, sum.second.tokens + spent.tokens}};
                counter->add({}, spent, at);
            }
        });
        if (!all) return all;
    }
    for (const auto& [place, sum] : sums)
        if (auto ok = add_row(database, {place.first, sum.first, sum.second}); !ok) return fail(ok.error());
    return {};
}

Result<> Budgets::recount(store::Database& database) {
    std::vector<std::shared_ptr<Counter>> all;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [id, counter] : counters_) {
            counter->forget();
            all.push_back(counter);
        }
    }
    return load_windows(database, all, false);
}

// What the last minute has seen, by when it ended.
Result<> Budgets::load_rates(store::Database& database) {
    const std::lock_guard lock(mutex_);
    const auto now_ms = unix_ms(now());
    const auto first = first_decision(now_ms);
    const auto at = [&](std::int64_t time) { return steady_ms() - std::max<std::int64_t>(0, now_ms - time); };
    const auto each = [&](const Subject& subject, const std::function<void(RateAccount&)>& visit) {
        auto& own = accounts_[fmt::format("key {}", subject.key)];
        if (own == nullptr) own = std::make_shared<RateAccount>();
        visit(*own);
        std::vector<Limited> others;
        add_limited(others, "team", subject.team);
        add_limited(others, "alias", std::string(entry_of(subject.alias)));
        add_limited(others, "model", subject.model);
        for (const auto& one : others) visit(*one.account);
    };
    const auto used =
        each_ended(database, now_ms - kMinute, [&](const Subject& subject, std::int64_t ended, Tokens tokens) {
            each(subject, [&](RateAccount& account) { account.tokens.add(at(ended), tokens.count); });
        });
    if (!used) return used;
    auto asked = database.prepare("SELECT key, alias, time FROM decisions WHERE id >= ?1 AND time > ?2 ORDER BY 3");
    asked.bind(1, first).bind(2, now_ms - kMinute);
    while (true) {
        const auto row = asked.step();
        if (!row) return fail(row.error());
        if (!*row) return {};
        Subject subject{.key = asked.text(0), .alias = asked.text(1)};
        if (const auto team = teams_.find(subject.key); team != teams_.end()) subject.team = team->second;
        each(subject, [&](RateAccount& account) { account.requests.add(at(asked.integer(2)), 1); });
    }
}

Result<> Budgets::record(store::Database& database, const Subject& subject, WallTime begun, Spent spent) {
    if (spent == Spent{}) return {};
    struct Place {
        std::string counter;
        Counter::Cell cell;
        std::int64_t start = 0;  // of the window, as alerts know it
        bool rolls = false;
        std::vector<config::Budget> budgets;
    };
    std::vector<Place> places;
    std::vector<int> thresholds;
    std::string currency;
    std::int64_t now_ms = 0;
    {
        const std::lock_guard lock(mutex_);
        const auto at = now();
        now_ms = unix_ms(at);
        thresholds = thresholds_;
        currency = currency_;
        for (const auto* group : groups_of(subject.key, subject.team))
            for (const auto& counter : group->counters) {
                if (!counts_now(counter->of(), subject)) continue;
                const auto cell = counter->cell_at(begun);
                const auto length = counter->window().length.count();
                Place place{counter->id(), cell, length > 0 ? now_ms - now_ms % length : cell.start, length > 0, {}};
                if (!thresholds.empty())
                    for (const auto& bound : group->bounds)
                        if (bound.counter == counter) place.budgets.push_back(bound.budget);
                places.push_back(std::move(place));
            }
    }
    for (const auto& place : places) {
        auto sum = add_row(database, {place.counter, place.cell, spent});
        if (sum && place.rolls && !place.budgets.empty()) sum = sum_of(database, place.counter, now_ms);
        if (!sum) return fail(sum.error());
        // An attempt of a window that is over fills no budget that there is.
        if (place.cell.until > 0 && place.cell.until <= now_ms) continue;
        for (const auto& budget : place.budgets) {
            const auto crossed = note_crossing(database, place.counter, budget, place.start, place.cell.until, *sum,
                                               {.thresholds = thresholds, .currency = currency, .now = now_ms});
            if (!crossed) return fail(crossed.error());
            if (*crossed) alerts_.notify();
        }
    }
    return {};
}

Result<> Budgets::note_full(store::Database& database) {
    constexpr int kFull = 100;
    std::vector<Full> all;
    std::string currency;
    std::int64_t now_ms = 0;
    bool wanted = false;
    {
        const std::lock_guard lock(mutex_);
        all = std::exchange(full_, {});
        currency = currency_;
        now_ms = unix_ms(now());
        wanted = !thresholds_.empty();
    }
    if (!wanted) return {};
    for (const auto& one : all) {
        const auto detail = detail_of(one.budget, kFull, one.spent, one.until, currency, Why::no_room);
        const auto name = name_of(one.counter, one.budget);
        if (auto ok = note_alert(database, {name, one.start, kFull, now_ms, detail}); !ok) return fail(ok.error());
    }
    return {};
}

Result<std::vector<std::string>> Budgets::check(store::Database& database, milliseconds reach) const {
    const std::lock_guard lock(mutex_);
    const auto at = now();
    std::vector<std::shared_ptr<Counter>> looked_at;
    for (const auto& [id, counter] : counters_)
        if (reach == kEverything || counter->start(at) >= unix_ms(at) - reach.count()) looked_at.push_back(counter);
    if (looked_at.empty()) return std::vector<std::string>();
    std::map<std::pair<std::string, std::int64_t>, Spent> booked, summed;
    auto rows =
        database.prepare("SELECT counter, start, cost, tokens FROM budget_windows WHERE until = 0 OR until > ?1");
    rows.bind(1, unix_ms(at));
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        const Spent spent{Money::from_micros(rows.integer(2)), {rows.integer(3)}};
        if (spent != Spent{} && std::ranges::find(looked_at, rows.text(0), &Counter::id) != looked_at.end())
            booked[{rows.text(0), rows.integer(1)}] = spent;
    }
    auto since = unix_ms(at);
    for (const auto& counter : looked_at) since = std::min(since, counter->start(at));
    const auto read = each_spent(database, since, [&](const Subject& subject, WallTime begun, Spent spent) {
        for (const auto& counter : looked_at) {
            if (!counts_now(counter->of(), subject)) continue;
            const auto cell = counter->cell_at(begun);
            if (cell.until > 0 && cell.until <= unix_ms(at)) continue;
            auto& sum = summed[{counter->id(), cell.start}];
            sum = {sum.cost + spent.cost, sum.tokens + spent.tokens};
        }
    });
    if (!read) return fail(read.error());
    std::vector<std::string> differences;
    const auto compare = [&](const auto& place, Spent row, Spent sum) {
        if (row != sum)
            differences.push_back(fmt::format(
                "{} from {}: its row says {} and {} tokens, its attempts come to {} and {}", place.first,
                minute_text(place.second), row.cost.text(), row.tokens.count, sum.cost.text(), sum.tokens.count));
    };
    for (const auto& [place, spent] : booked) compare(place, spent, summed[place]);
    for (const auto& [place, spent] : summed)
        if (!booked.contains(place)) compare(place, {}, spent);
    return differences;
}

}  // namespace tandem::ledger
