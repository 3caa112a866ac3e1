// The promises made on money and rates: a Reservation is taken before an attempt and settled after it, so that budgets
// hold however many requests run at once.
//
// Invariant, checked at the start: what a counter has settled is the sum of the ledger's attempts in its window; what
// it has open is the sum of the reservations that are held.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/principal.h"
#include "base/money.h"
#include "base/result.h"
#include "base/world.h"
#include "config/config.h"
#include "ledger/budgets/counter.h"
#include "ledger/budgets/rate.h"
#include "ledger/budgets/subject.h"
#include "net/event.h"
#include "store/store.h"

namespace tandem::ledger {

extern const char* const kBudgetsSchema;  // what each window has seen

// Something to tell the owner: once for each threshold of a window.
struct Alert {
    std::string budget = {};  // what alerts know it by
    std::int64_t start = 0;   // of the window, milliseconds since 1970
    int percent = 0;
    std::int64_t time = 0;
    std::string detail = {};  // JSON
};
enum class AlertState : bool { to_tell, told };
// Whether it is new. Errors: storage.
Result<bool> note_alert(store::Database& database, Alert alert, AlertState state = AlertState::to_tell);

class Budgets;

// How fast something is used: a key, a team, a model or an alias.
struct RateAccount {
    Rate requests;
    Rate tokens;  // settled
    Tokens reserved;
    std::int64_t running = 0;
};

// Leave to spend up to an amount. Gives back what it holds when it goes without being settled.
class Reservation {
  public:
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation();
    // What the attempt really cost and used.
    void settle(Money cost, Tokens tokens);
    // When it was taken. What the attempt costs is spent in the windows that this lies in, whenever it ends.
    WallTime start() const { return start_; }
    Money amount() const { return most_.cost; }
    Tokens tokens() const { return most_.tokens; }

  private:
    friend class Budgets;
    Reservation(Budgets* budgets, Subject subject, Spent most, WallTime start)
        : budgets_(budgets), subject_(std::move(subject)), most_(most), start_(start) {}
    Budgets* budgets_ = nullptr;
    Subject subject_;
    Spent most_;
    WallTime start_;
    std::vector<std::shared_ptr<Counter>> counters_;      // which it is reserved in
    std::vector<std::shared_ptr<RateAccount>> accounts_;  // whose tokens it is reserved of
    std::shared_ptr<RateAccount> model_;                  // which it runs at
};

// One request under way: counts against the concurrency of its key, team and alias until it goes.
class Admission {
  public:
    Admission() = default;
    Admission(Admission&& other) noexcept
        : budgets_(std::exchange(other.budgets_, nullptr)), accounts_(std::move(other.accounts_)) {}
    Admission& operator=(Admission&& other) noexcept;
    ~Admission();

  private:
    friend class Budgets;
    Admission(Budgets* budgets, std::vector<std::shared_ptr<RateAccount>> accounts)
        : budgets_(budgets), accounts_(std::move(accounts)) {}
    Budgets* budgets_ = nullptr;
    std::vector<std::shared_ptr<RateAccount>> accounts_;
};

// A budget without room.
struct Denial {
    Error error;  // over_budget, with when it helps to ask again
    config::OnBudget act = config::OnBudget::cheaper;
};

// A clock that goes back opens no window again: time goes on from the latest that was seen. Safe from any thread.
class Budgets {
  public:
    explicit Budgets(const Clock& clock) : clock_(clock) {}

    // Takes over the budgets, limits and currency of a config, at the start and at each reload. What the windows under
    // way have seen is read from their rows, or, of a budget that is new, from the ledger. Errors: storage.
    Result<> adopt(const config::Config& config, store::Store& store);

    // Whether a budget or a limit of tokens may bind what this principal asks for.
    bool bind(const access::Principal& who) const;
    // Whether a budget of money may.
    bool bind_money(const access::Principal& who) const;

    // Requests in any 60 seconds, and concurrency, of the key and its team. Errors: rate_limited, with when it helps to
    // come back.
    Result<Admission> admit(const access::Principal& who);
    // The same of the name that a request asks by, as the client wrote it.
    Result<Admission> admit_alias(const std::string& alias);

    // Money and tokens for one attempt, of all budgets that it counts in at once. Tokens count while they are reserved,
    // and 60 seconds from when they were settled. Errors: over_budget, rate_limited.
    Result<Reservation> reserve(const access::Principal& who, Subject subject, Money amount, Tokens tokens);
    // More for an attempt under way; false, and nothing changes, where reserve() would refuse that.
    bool extend(const access::Principal& who, Reservation& reservation, Money amount, Tokens tokens);

    // Why reserve() would be refused by a budget now; nullopt where it would not. Where several budgets stand in the
    // way, that of the longest wait, with the strictest of their wishes. `said`: whether the message has the amount;
    // without it, models of different prices share the reason.
    enum class Amount { said, left_out };
    std::optional<Denial> denied(const Subject& subject, Money amount, Tokens tokens, Amount says) const;

    // How a budget stands.
    struct State {
        config::Budget budget;
        Spent spent, reserved;
        std::int64_t ends = 0;  // milliseconds of Unix time; 0: never, or it rolls
    };
    std::vector<State> states() const;

    // Seconds until it helps to ask again, where others hold what is missing: a guess, for it comes back when they end.
    static constexpr long long kGuess = 5;
    // Told of whatever was settled, since there may be room then.
    net::Event& settled() { return settled_; }

    // Adds what an attempt came to to the rows of its windows: part of the commit that closes it. Errors: storage.
    // Where a threshold of the owner's is reached, a row of `budget_alerts` says so.
    Result<> record(store::Database& database, const Subject& subject, WallTime begun, Spent spent);
    // Notes the budgets that have had no room since the last call, as if they were full. Errors: storage.
    Result<> note_full(store::Database& database);
    // Told when there are rows of `budget_alerts` that nobody was told of; their commit may follow.
    net::Event& alerts() { return alerts_; }
    // The same for an attempt whose reservation a killed process held: it is settled here.
    void settle_lost(const Subject& subject, WallTime begun, Spent spent);

    // Makes all windows anew from the ledger, whose costs were corrected. Inside a transaction. Errors: storage.
    Result<> recount(store::Database& database);

    // The differences between the windows' rows and the sum of the attempts in them, a line each. Looks at windows that
    // began at most `reach` ago. Errors: storage.
    static constexpr milliseconds kEverything = milliseconds::max();
    Result<std::vector<std::string>> check(store::Database& database, milliseconds reach = kEverything) const;

  private:
    friend class Reservation;
    friend class Admission;
    struct Bound {
        config::Budget budget;
        std::shared_ptr<Counter> counter;
        mutable std::int64_t told = -1;  // start of the window of which the log has said that it has no room
    };
    // Budgets whose scope names the same key, or, without one, the same team.
    struct Group {
        std::vector<Bound> bounds;
        std::vector<std::shared_ptr<Counter>> counters;  // of the bounds, each once
    };
    struct Limited {
        std::string whose;  // "the key 'alice'"
        std::string field;  // "keys.alice.limits"
        config::RateLimits limits;
        std::shared_ptr<RateAccount> account;
    };

    WallTime now() const;
    std::int64_t steady_ms() const;
    // The name of the config by which a client asked, of the name that it sent.
    std::string_view entry_of(std::string_view alias) const;
    bool counts_now(const config::BudgetScope& scope, const Subject& subject) const;
    std::vector<const Group*> groups_of(const std::string& key, const std::string& team) const;
    void add_bound(const config::Budget& budget, std::unordered_map<std::string, std::shared_ptr<Counter>>& counters);
    Limited of_key(const access::Principal& who);
    void add_limited(std::vector<Limited>& all, std::string_view what, const std::string& name);
    std::optional<Denial> denied_locked(const Subject& subject, Spent more, Amount says) const;
    Error denied_by(const Bound& bound, Spent more, Amount says) const;
    // A line in the log, once for a limit and a window.
    void tell_no_room(const Bound& bound) const;
    Result<Admission> admit_all(std::vector<Limited> all);
    Result<> may_begin(const std::vector<Limited>& all) const;
    Result<> may_take(const std::vector<Limited>& all, Tokens tokens) const;
    void take(const Reservation& reservation, Spent more);
    void settle(Reservation& reservation, Spent spent);
    void give_back(Reservation& reservation, Spent spent);
    void settle_locked(const Subject& subject, WallTime begun, Spent spent);
    void leave(const std::vector<std::shared_ptr<RateAccount>>& accounts);
    Result<> load_windows(store::Database& database, const std::vector<std::shared_ptr<Counter>>& unknown, bool first);
    Result<> load_rates(store::Database& database);

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<Counter>> counters_;  // by their ids
    std::unordered_map<std::string, Group> by_key_, by_team_;
    Group others_;
    std::unordered_map<std::string, std::string> teams_;          // of the keys that there are
    std::vector<std::string> names_;                              // aliases and models, patterns too
    std::unordered_map<std::string, config::RateLimits> limits_;  // of "team lab", "model gpt", "alias strong"
    std::unordered_map<std::string, std::shared_ptr<RateAccount>> accounts_;  // by the same, and "key alice"
    mutable WallTime latest_{};  // the latest time that was seen, and when that was
    mutable SteadyTime latest_at_{};
    mutable std::int64_t steady_ms_ = 0;
    std::string currency_;
    bool adopted_ = false;
    std::vector<int> thresholds_;  // of alerts, in percent, rising
    struct Full {
        std::string counter;
        config::Budget budget;
        std::int64_t start = 0, until = 0;
        Spent spent;
    };
    mutable std::vector<Full> full_;  // which nobody has noted
    net::Event settled_;
    mutable net::Event alerts_;
};

}  // namespace tandem::ledger
