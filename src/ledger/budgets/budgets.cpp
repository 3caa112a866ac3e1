#include "ledger/budgets/budgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "config/names.h"

namespace tandem::ledger {

namespace {

// Where the owner writes what a principal may use.
std::string field_of(const access::Principal& who, std::string_view field) {
    const auto& id = who.id();
    return fmt::format("keys.{}.{}", id.substr(0, id.find('@')), field);
}

// Where to raise a limit. The settings of a key of the store do not change once it is made.
std::string where_to_raise(std::string_view field) {
    return fmt::format(
        "{} in tandem.yaml{}", field,
        field.starts_with("keys.") ? " (of a key that `tandem keys create` made: with another such key)" : "");
}

std::unexpected<Error> limited(Fault fault, std::string message, long long again_in) {
    Error error{fault, std::move(message)};
    error.again_in = std::max(1LL, again_in);
    return fail(std::move(error));
}

std::string rate_id(std::string_view what, std::string_view name) {
    return fmt::format("{} {}", what, name);
}

}  // namespace

// ---- reservations ----

Reservation::Reservation(Reservation&& other) noexcept
    : budgets_(std::exchange(other.budgets_, nullptr)),
      subject_(std::move(other.subject_)),
      most_(other.most_),
      start_(other.start_),
      counters_(std::move(other.counters_)),
      accounts_(std::move(other.accounts_)),
      model_(std::move(other.model_)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
    if (this != &other) {
        settle({}, {});
        budgets_ = std::exchange(other.budgets_, nullptr);
        subject_ = std::move(other.subject_);
        most_ = other.most_;
        start_ = other.start_;
        counters_ = std::move(other.counters_);
        accounts_ = std::move(other.accounts_);
        model_ = std::move(other.model_);
    }
    return *this;
}

Reservation::~Reservation() {
    settle({}, {});
}

void Reservation::settle(Money cost, Tokens tokens) {
    if (budgets_ != nullptr) std::exchange(budgets_, nullptr)->settle(*this, {cost, tokens});
}

Admission& Admission::operator=(Admission&& other) noexcept {
    if (this != &other) {
        if (budgets_ != nullptr) budgets_->leave(accounts_);
        budgets_ = std::exchange(other.budgets_, nullptr);
        accounts_ = std::move(other.accounts_);
    }
    return *this;
}

Admission::~Admission() {
    if (budgets_ != nullptr) budgets_->leave(accounts_);
}

// ---- what there is ----

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

void Budgets::add_bound(const config::Budget& budget,
                        std::unordered_map<std::string, std::shared_ptr<Counter>>& counters) {
    auto made = std::make_shared<Counter>(budget.of, budget.window);
    auto& counter = counters[made->id()];
    if (counter == nullptr) {
        const auto known = counters_.find(made->id());
        counter = known == counters_.end() ? std::move(made) : known->second;
    }
    auto& group = !budget.of.key.empty()    ? by_key_[budget.of.key]
                  : !budget.of.team.empty() ? by_team_[budget.of.team]
                                            : others_;
    group.bounds.push_back({budget, counter});
    if (std::ranges::find(group.counters, counter) == group.counters.end()) group.counters.push_back(counter);
}

Result<> Budgets::adopt(const config::Config& config, store::Store& store) {
    std::vector<std::shared_ptr<Counter>> unknown;
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = !std::exchange(adopted_, true);
        currency_ = config.currency;
        thresholds_ = config.alerts.at;
        by_key_.clear();
        by_team_.clear();
        others_ = {};
        teams_.clear();
        limits_.clear();
        names_.assign(config::kReservedAliases.begin(), config::kReservedAliases.end());
        for (const auto& alias : config.aliases) names_.push_back(alias.id);
        for (const auto& model : config.models) names_.push_back(model.id);
        std::unordered_map<std::string, std::shared_ptr<Counter>> counters;
        for (const auto& key : config.keys) {
            const auto id = access::client_id(key.id);
            if (!key.team.empty()) teams_[id] = key.team;
            for (auto budget : key.budgets) {
                budget.of.key = id;
                add_bound(budget, counters);
            }
        }
        for (const auto& team : config.teams) {
            for (const auto& budget : team.budgets) add_bound(budget, counters);
            if (team.limits.any()) limits_[rate_id("team", team.id)] = team.limits;
        }
        for (auto budget : config.budgets) {
            if (!budget.of.key.empty()) budget.of.key = access::client_id(budget.of.key);
            add_bound(budget, counters);
        }
        for (const auto& experiment : config.experiments) {
            if (experiment.budget == Money{}) continue;
            config::Budget budget;
            budget.field = fmt::format("experiments.{}.budget", experiment.name);
            budget.limit = experiment.budget;
            budget.of.key = access::Principal::internal(access::Part::experiment, experiment.name).id();
            add_bound(budget, counters);
        }
        for (const auto& model : config.models)
            if (model.limits.any()) limits_[rate_id("model", model.id)] = model.limits;
        for (const auto& alias : config.aliases)
            if (alias.limits.any()) limits_[rate_id("alias", alias.id)] = alias.limits;
        for (const auto& [id, counter] : counters)
            if (!counters_.contains(id)) unknown.push_back(counter);
        counters_ = std::move(counters);
    }
    return store.run([&](store::Database& database) -> Result<> {
        if (auto ok = load_windows(database, unknown, first); !ok || !first) return ok;
        return load_rates(database);
    });
}

std::string_view Budgets::entry_of(std::string_view alias) const {
    if (!config::is_pattern(alias) && std::ranges::find(names_, alias) != names_.end()) return alias;
    const std::vector<std::string_view> names(names_.begin(), names_.end());
    const auto best = config::most_specific(names, alias);
    return best ? names[*best] : alias;
}

bool Budgets::counts_now(const config::BudgetScope& scope, const Subject& subject) const {
    return counts(scope, subject) && (scope.alias.empty() || scope.alias == entry_of(subject.alias));
}

std::vector<const Budgets::Group*> Budgets::groups_of(const std::string& key, const std::string& team) const {
    std::vector<const Group*> groups;
    if (!others_.bounds.empty()) groups.push_back(&others_);
    if (const auto found = by_key_.find(key); found != by_key_.end()) groups.push_back(&found->second);
    if (team.empty()) return groups;
    if (const auto found = by_team_.find(team); found != by_team_.end()) groups.push_back(&found->second);
    return groups;
}

bool Budgets::bind(const access::Principal& who) const {
    if (who.limits.tokens_per_minute > 0) return true;
    const std::lock_guard lock(mutex_);
    if (!groups_of(who.id(), who.team()).empty()) return true;
    return std::ranges::any_of(limits_, [](const auto& one) { return one.second.tokens_per_minute > 0; });
}

bool Budgets::bind_money(const access::Principal& who) const {
    const std::lock_guard lock(mutex_);
    const auto groups = groups_of(who.id(), who.team());
    return std::ranges::any_of(groups, [](const Group* group) {
        return std::ranges::any_of(group->bounds, [](const Bound& b) { return b.budget.limit && !b.budget.soft; });
    });
}

std::vector<Budgets::State> Budgets::states() const {
    const std::lock_guard lock(mutex_);
    const auto at = now();
    std::vector<State> states;
    const auto add = [&](const Group& group) {
        for (const auto& bound : group.bounds) {
            const auto& counter = *bound.counter;
            states.push_back({bound.budget, counter.spent(at), counter.reserved,
                              bound.budget.window.period ? counter.cell_at(at).until : 0});
        }
    };
    for (const auto& [key, group] : by_key_) add(group);
    for (const auto& [team, group] : by_team_) add(group);
    add(others_);
    std::ranges::sort(states, {}, [](const State& s) { return s.budget.field; });
    return states;
}

// ---- refusals ----

// A budget that has no room for more. What it says of the time to come: a window ends, and what is reserved may come
// back; what a whole budget does not hold never fits.
Error Budgets::denied_by(const Bound& bound, Spent more, Amount says) const {
    const auto& budget = bound.budget;
    const auto& counter = *bound.counter;
    const auto at = now();
    const auto spent = counter.spent(at);
    const bool total = budget.window.period == Period::total;
    // In words, and as numbers of one kind: micro-units or tokens.
    const auto currency = currency_.empty() ? std::string() : " " + currency_;
    const auto text = [&](std::int64_t n) {
        return budget.limit ? Money::from_micros(n).text() + currency : fmt::format("{} tokens", n);
    };
    const auto of = [&](const Spent& s) { return budget.limit ? s.cost.micros() : s.tokens.count; };
    const auto limit = budget.limit ? budget.limit->micros() : budget.tokens;
    const bool whole = of(more) > limit;
    const bool only_reserved = saturating_sum(of(spent), of(more)) <= limit;
    Error error{whole           ? Fault::request_over_budget
                : only_reserved ? Fault::budget_reserved
                                : Fault::budget_used_up,
                {}};
    error.certain = whole || (total && !only_reserved);
    std::int64_t until = 0;
    if (!total) {
        const auto most = std::max<std::int64_t>(0, limit - of(more));
        until = budget.window.period
                    ? counter.cell_at(at).until
                    : counter.when_at_most(at, budget.limit ? Spent{Money::from_micros(most), {INT64_MAX}}
                                                            : Spent{Money::from_micros(INT64_MAX), {most}});
    }
    if (only_reserved)
        error.again_in = kGuess;
    else if (!error.certain)
        error.again_in = std::max<std::int64_t>(1, (until - unix_ms(at) + 999) / 1000);
    auto needs =
        says == Amount::said ? fmt::format("this needs up to {}", text(of(more))) : std::string("this may need more");
    if (whole) needs += says == Amount::said ? ", more than the whole budget" : " than the whole budget";
    std::string hope = "; ask for fewer tokens, ";
    if (whole)
        hope = "; ask for fewer tokens, ";
    else if (only_reserved)
        hope = "; ask for fewer tokens, wait until requests under way have ended, ";
    else if (total)
        hope = "; it does not come back; ask for fewer tokens, ";
    else
        hope += "wait until then, ";
    std::string window = "in total";
    if (!total) window = fmt::format("{} {}", budget.window.period ? "per" : "in", config::text_of(budget.window));
    const bool in_time = until > 0 && (budget.window.period || (!only_reserved && !whole));
    error.message = fmt::format(
        "the budget of {} {} of {} has {} left{} ({} spent, {} reserved for requests under way), and {}{}or raise "
        "{}",
        text(limit), window, text_of(budget.of),
        text(std::max<std::int64_t>(0, limit - of(spent) - of(counter.reserved))),
        in_time ? fmt::format(" until {}", minute_text(until, budget.window.zone)) : "", text(of(spent)),
        text(of(counter.reserved)), needs, hope,
        where_to_raise(budget.field + (budget.field.ends_with(".budget") ? ""
                                       : budget.limit                    ? ".limit"
                                                                         : ".tokens")));
    return error;
}

void Budgets::tell_no_room(const Bound& bound) const {
    const auto at = now();
    const auto& window = bound.budget.window;
    const auto begun = window.period ? bound.counter->start(at) : unix_ms(at);
    if (window.period ? bound.told == begun : bound.told >= 0 && begun - bound.told < window.length.count()) return;
    bound.told = begun;
    const auto spent = bound.counter->spent(at);
    const auto& budget = bound.budget;
    const auto length = window.length.count();
    full_.push_back({bound.counter->id(), budget, length > 0 ? unix_ms(at) - unix_ms(at) % length : begun,
                     window.period ? bound.counter->cell_at(at).until : 0, spent});
    alerts_.notify();
    log::Line line(log::Level::warning, "a budget has no room");
    line.add("budget", budget.field).add("of", text_of(budget.of)).add("window", config::text_of(budget.window));
    if (!budget.of.key.empty()) line.add("key", budget.of.key);
    if (budget.limit) {
        line.add_number("limit", budget.limit->text())
            .add_number("left", std::max(Money{}, *budget.limit - spent.cost - bound.counter->reserved.cost).text())
            .add("currency", currency_);
    } else {
        line.add_number("limit", std::to_string(budget.tokens))
            .add_number("left", std::to_string(std::max<std::int64_t>(
                                    0, budget.tokens - spent.tokens.count - bound.counter->reserved.tokens.count)));
    }
}

std::optional<Denial> Budgets::denied_locked(const Subject& subject, Spent more, Amount says) const {
    std::optional<Denial> worst;
    auto act = config::OnBudget::cheaper;
    const auto strict = [](config::OnBudget wish) {
        constexpr std::array<int, 4> kOrder = {0, 1, 3, 2};  // cheaper, local, refuse, queue
        return kOrder[static_cast<std::size_t>(wish)];
    };
    const auto at = now();
    for (const auto* group : groups_of(subject.key, subject.team)) {
        for (const auto& bound : group->bounds) {
            const auto& budget = bound.budget;
            // A budget of money binds what costs money: a model at home goes on, also where more was spent than the
            // limit.
            if (budget.limit ? more.cost == Money{} : more.tokens.count == 0) continue;
            if (!counts_now(budget.of, subject)) continue;
            const auto spent = bound.counter->spent(at);
            const auto& reserved = bound.counter->reserved;
            const bool fits = budget.limit ? spent.cost + reserved.cost + more.cost <= *budget.limit
                                           : (spent.tokens + reserved.tokens + more.tokens).count <= budget.tokens;
            if (fits) continue;
            // Without an amount models are only compared, most of which nobody asks for.
            if (says == Amount::said) tell_no_room(bound);
            if (budget.soft) continue;
            auto error = denied_by(bound, more, says);
            if (strict(budget.on_budget) > strict(act)) act = budget.on_budget;
            const bool longer =
                !worst || (!worst->error.certain && (error.certain || error.again_in > worst->error.again_in));
            if (longer) worst = Denial{std::move(error), act};
        }
    }
    if (worst) worst->act = act;
    return worst;
}

std::optional<Denial> Budgets::denied(const Subject& subject, Money amount, Tokens tokens, Amount says) const {
    const std::lock_guard lock(mutex_);
    return denied_locked(subject, {amount, tokens}, says);
}

// ---- rates ----

Budgets::Limited Budgets::of_key(const access::Principal& who) {
    // Counted for keys without limits too: a reload of the config may give them some.
    auto& account = accounts_[rate_id("key", who.id())];
    if (account == nullptr) account = std::make_shared<RateAccount>();
    return {fmt::format("the key '{}'", who.id()), field_of(who, "limits"), who.limits, account};
}

// What has limits of its own, by its name; clients choose some names, so none is kept of what has not.
void Budgets::add_limited(std::vector<Limited>& all, std::string_view what, const std::string& name) {
    if (limits_.empty() || name.empty()) return;
    const auto id = rate_id(what, name);
    const auto found = limits_.find(id);
    if (found == limits_.end()) return;
    auto& account = accounts_[id];
    if (account == nullptr) account = std::make_shared<RateAccount>();
    all.push_back({fmt::format("the {} '{}'", what, name),
                   fmt::format("{}{}.{}.limits", what, what == "alias" ? "es" : "s", name), found->second, account});
}

Result<Admission> Budgets::admit(const access::Principal& who) {
    const std::lock_guard lock(mutex_);
    std::vector<Limited> all = {of_key(who)};
    add_limited(all, "team", who.team());
    return admit_all(std::move(all));
}

Result<Admission> Budgets::admit_alias(const std::string& alias) {
    const std::lock_guard lock(mutex_);
    std::vector<Limited> all;
    if (!limits_.empty()) add_limited(all, "alias", std::string(entry_of(alias)));
    return admit_all(std::move(all));
}

// The mutex is held.
Result<Admission> Budgets::admit_all(std::vector<Limited> all) {
    if (auto ok = may_begin(all); !ok) return fail(ok.error());
    std::vector<std::shared_ptr<RateAccount>> accounts;
    for (auto& one : all) {
        one.account->requests.add(steady_ms(), 1);
        ++one.account->running;
        accounts.push_back(std::move(one.account));
    }
    return Admission(this, std::move(accounts));
}

// Whether one more request may begin. The mutex is held.
Result<> Budgets::may_begin(const std::vector<Limited>& all) const {
    constexpr long long kSoonest = 1;  // seconds; nobody knows when a request ends
    const auto at = steady_ms();
    for (const auto& one : all) {
        if (one.limits.concurrency > 0 && one.account->running >= one.limits.concurrency)
            return limited(Fault::too_many_under_way,
                           fmt::format("{} may have {} requests under way at once; wait for one to end, or raise {}",
                                       one.whose, one.limits.concurrency, where_to_raise(one.field + ".concurrency")),
                           kSoonest);
        const auto most = one.limits.requests_per_minute;
        if (most > 0 && one.account->requests.sum(at) >= most) {
            const auto wait = std::max<long long>(1, (one.account->requests.ms_until(at, most - 1) + 999) / 1000);
            return limited(Fault::request_limit_reached,
                           fmt::format("{} may send {} requests in 60 seconds; try again in {} s, or raise {}",
                                       one.whose, most, wait, where_to_raise(one.field + ".rpm")),
                           wait);
        }
    }
    return {};
}

// Whether so many more tokens may be taken. The mutex is held.
Result<> Budgets::may_take(const std::vector<Limited>& all, Tokens tokens) const {
    const auto at = steady_ms();
    for (const auto& one : all) {
        const auto most = one.limits.tokens_per_minute;
        if (most == 0) continue;
        const auto wanted = one.account->reserved + tokens;
        const auto used = one.account->tokens.sum(at);
        if (used <= most - std::min(most, wanted.count) && wanted.count <= most) continue;
        if (tokens.count > most) {
            Error error{Fault::request_over_limit,
                        fmt::format("{} may use {} tokens in 60 seconds, and this needs up to {}: it never fits; ask "
                                    "for fewer tokens, or raise {}",
                                    one.whose, most, tokens.count, where_to_raise(one.field + ".tpm"))};
            error.certain = true;
            return fail(std::move(error));
        }
        const auto wait = std::max<long long>(
            1, (one.account->tokens.ms_until(at, std::max<std::int64_t>(0, most - wanted.count)) + 999) / 1000);
        return limited(Fault::token_limit_reached,
                       fmt::format("{} may use {} tokens in 60 seconds, of which {} are used and {} reserved for "
                                   "requests under way, and this needs up to {}; try again in {} s, or raise {}",
                                   one.whose, most, used, one.account->reserved.count, tokens.count, wait,
                                   where_to_raise(one.field + ".tpm")),
                       wait);
    }
    return {};
}

void Budgets::leave(const std::vector<std::shared_ptr<RateAccount>>& accounts) {
    const std::lock_guard lock(mutex_);
    for (const auto& account : accounts) --account->running;
}

// ---- one attempt ----

Result<Reservation> Budgets::reserve(const access::Principal& who, Subject subject, Money amount, Tokens tokens) {
    const std::lock_guard lock(mutex_);
    if (auto denial = denied_locked(subject, {amount, tokens}, Amount::said)) return fail(std::move(denial->error));
    std::vector<Limited> all = {of_key(who)};
    add_limited(all, "team", subject.team);
    if (!limits_.empty()) add_limited(all, "alias", std::string(entry_of(subject.alias)));
    std::vector<Limited> model;
    add_limited(model, "model", subject.model);
    if (auto ok = may_begin(model); !ok) return fail(ok.error());
    std::ranges::copy(model, std::back_inserter(all));
    if (auto ok = may_take(all, tokens); !ok) return fail(ok.error());
    Reservation made(this, std::move(subject), {amount, tokens}, now());
    for (const auto* group : groups_of(made.subject_.key, made.subject_.team))
        for (const auto& counter : group->counters)
            if (counts_now(counter->of(), made.subject_)) made.counters_.push_back(counter);
    for (auto& one : all) made.accounts_.push_back(std::move(one.account));
    if (!model.empty()) {
        made.model_ = std::move(model.front().account);
        made.model_->requests.add(steady_ms(), 1);
        ++made.model_->running;
    }
    take(made, made.most_);
    return made;
}

// The mutex is held.
void Budgets::take(const Reservation& reservation, Spent more) {
    for (const auto& counter : reservation.counters_)
        counter->reserved = {counter->reserved.cost + more.cost, counter->reserved.tokens + more.tokens};
    for (const auto& account : reservation.accounts_) account->reserved = account->reserved + more.tokens;
}

bool Budgets::extend(const access::Principal& who, Reservation& reservation, Money amount, Tokens tokens) {
    const std::lock_guard lock(mutex_);
    if (reservation.budgets_ != this) return false;
    if (denied_locked(reservation.subject_, {amount, tokens}, Amount::said)) return false;
    std::vector<Limited> all = {of_key(who)};
    add_limited(all, "team", reservation.subject_.team);
    if (!limits_.empty()) add_limited(all, "alias", std::string(entry_of(reservation.subject_.alias)));
    add_limited(all, "model", reservation.subject_.model);
    if (!may_take(all, tokens)) return false;
    take(reservation, {amount, tokens});
    reservation.most_ = {reservation.most_.cost + amount, reservation.most_.tokens + tokens};
    return true;
}

void Budgets::settle(Reservation& reservation, Spent spent) {
    give_back(reservation, spent);
    settled_.notify();
}

void Budgets::give_back(Reservation& reservation, Spent spent) {
    const std::lock_guard lock(mutex_);
    const auto& most = reservation.most_;
    const auto less = [&most](Spent& held) {
        held = {held.cost - most.cost, {std::max<std::int64_t>(0, held.tokens.count - most.tokens.count)}};
    };
    for (const auto& counter : reservation.counters_) less(counter->reserved);
    for (const auto& account : reservation.accounts_) {
        account->reserved = {std::max<std::int64_t>(0, account->reserved.count - most.tokens.count)};
        account->tokens.add(steady_ms(), spent.tokens.count);
    }
    if (reservation.model_) --reservation.model_->running;
    if (spent == Spent{}) return;
    settle_locked(reservation.subject_, reservation.start_, spent);
}

void Budgets::settle_locked(const Subject& subject, WallTime begun, Spent spent) {
    // Spent where it began, as the ledger adds it up; in the budgets that there are now.
    const auto at = now();
    for (const auto* group : groups_of(subject.key, subject.team))
        for (const auto& counter : group->counters)
            if (counts_now(counter->of(), subject)) counter->add(counter->cell_at(begun), spent, at);
}

void Budgets::settle_lost(const Subject& subject, WallTime begun, Spent spent) {
    const std::lock_guard lock(mutex_);
    settle_locked(subject, begun, spent);
}

}  // namespace tandem::ledger
