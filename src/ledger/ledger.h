// What was decided, tried, used and paid. Append-only; money is integer micro-units.
//
// It also keeps the promises made on money and rates: a Reservation is taken before an attempt and settled after it, so
// that budgets hold however many requests run at once.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/principal.h"
#include "base/id.h"
#include "base/label.h"
#include "base/money.h"
#include "base/result.h"
#include "config/config.h"
#include "ledger/meter.h"
#include "ledger/prices/tariff.h"
#include "store/store.h"

namespace tandem::ledger {

// One decision, as it is kept. `inputs` and `outcome` are routing's JSON; this module does not read them.
struct DecisionRecord {
    DecisionId id;
    std::int64_t time = 0;  // milliseconds since 1970
    std::string key;        // id of the API key, or "anonymous"
    std::string alias;
    Label label = Label::public_;
    std::string rule;
    std::string table;  // id of the routing table it was made with
    std::string inputs;
    std::string outcome;
};

struct AttemptRecord {
    DecisionId decision;
    int number = 1;  // from 1 within its decision
    std::int64_t time = 0;
    std::string key;
    std::string provider;
    std::string model;
    Zone zone = Zone::local;
    // answered, failed, cut, cancelled, skipped (nobody was asked), lost (under way when tandem was killed), ...
    std::string outcome;
    int status = 0;     // HTTP, 0 where none came
    std::string error;  // where it failed
    std::int64_t first_byte_ms = -1;
    std::int64_t total_ms = 0;
    Usage usage;
    Money cost;
    prices::PriceSource source = prices::PriceSource::free;  // whose word `cost` is
    std::string bill;      // what it was made of (Bill::details); empty where it was nothing, and in old records
    std::string warnings;  // what is different about this attempt from what the client asked, separated by "; "
};

extern const char* const kLedgerSchema;
extern const char* const kLedgerSchema2;  // attempts under way, and what went into a provider's cache
extern const char* const kLedgerSchema3;  // what a cost was made of, and whose word it is
extern const char* const kLedgerSchema4;  // the currency of all amounts

// Inside a transaction. Errors: storage.
Result<> insert(store::Database& database, const DecisionRecord& record);
// Before an attempt is sent: the most that it may use and cost. The commit that closes the attempt removes it. Errors:
// storage.
Result<> open(store::Database& database, const AttemptRecord& most);

struct Lost {
    std::int64_t attempts = 0;
    Money cost;
};
// At the start: attempts that were opened and never closed, since tandem was killed, become attempts with the outcome
// `lost`. What their providers did is not known, so each costs what was reserved for it, which is the most that it
// could where its answer had a bound. Errors: storage.
Result<Lost> settle_lost(store::Store& store);

// The currency of all amounts of a ledger is `currency` from now on. Errors: invalid, where the ledger has amounts in
// another one: they are not converted; storage.
Result<> keep_currency(store::Store& store, const std::string& currency);
// The currency of a ledger's amounts; that of the config where the ledger is of before it was noted. Errors: storage.
Result<std::string> currency_of(store::Database& database, const std::string& of_config);

// Proof that everything about a request is committed: what the last byte of an answer is given for.
class Receipt {
  public:
    Receipt(Receipt&&) noexcept = default;
    Receipt& operator=(Receipt&&) noexcept = default;

  private:
    friend class Ledger;
    Receipt() = default;
};

class Budgets;

// What a key has used in the last 60 seconds, in buckets of a second. A bucket counts for as long as the last that went
// into it does, so that no 60 seconds ever hold more than what was counted.
class Rate {
  public:
    static constexpr std::int64_t kSeconds = 61;  // a minute, and the second that it began in
    void add(std::int64_t now_ms, std::int64_t count);
    std::int64_t sum(std::int64_t now_ms) const;
    // How long until the sum is `most` or less, if nothing is added.
    std::int64_t ms_until(std::int64_t now_ms, std::int64_t most) const;

  private:
    struct Bucket {
        std::int64_t second = -1;
        std::int64_t last_ms = 0;
        std::int64_t count = 0;
    };
    std::array<Bucket, kSeconds> buckets_;
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
    Money amount() const { return amount_; }
    Tokens tokens() const { return tokens_; }

  private:
    friend class Budgets;
    Reservation(Budgets* budgets, std::string key, Money amount, Tokens tokens, WallTime start)
        : budgets_(budgets), key_(std::move(key)), amount_(amount), tokens_(tokens), start_(start) {}
    Budgets* budgets_ = nullptr;
    std::string key_;
    Money amount_;
    Tokens tokens_;
    WallTime start_;
};

// One request of a key under way: counts against its concurrency until it goes.
class Admission {
  public:
    Admission() = default;
    Admission(Admission&& other) noexcept
        : budgets_(std::exchange(other.budgets_, nullptr)), key_(std::move(other.key_)) {}
    Admission& operator=(Admission&& other) noexcept;
    ~Admission();

  private:
    friend class Budgets;
    Admission(Budgets* budgets, std::string key) : budgets_(budgets), key_(std::move(key)) {}
    Budgets* budgets_ = nullptr;
    std::string key_;
};

// What each key has spent in its windows (UTC hours, days and months) and uses right now. A clock that goes back opens
// no window again: time goes on from the latest that was seen. Safe from any thread.
class Budgets {
  public:
    explicit Budgets(const Clock& clock) : clock_(clock) {}

    // The currency that refusals name.
    void speak_of(std::string currency);

    // Reads back what the windows under way have seen. Errors: storage.
    Result<> load(store::Store& store);

    // Requests in any 60 seconds, and concurrency. Errors: rate_limited, with when it helps to come back.
    Result<Admission> admit(const access::Principal& key);

    // Money and tokens for one attempt. Tokens count while they are reserved, and 60 seconds from when they were
    // settled. Errors: over_budget, rate_limited.
    Result<Reservation> reserve(const access::Principal& key, Money amount, Tokens tokens);
    // More for an attempt under way; false, and nothing changes, where reserve() would refuse that.
    bool extend(const access::Principal& key, Reservation& reservation, Money amount, Tokens tokens);
    // Why reserve() would be refused for want of money now; nullopt where it would not. over_budget, with when it helps
    // to ask again. Where several budgets stand in the way, that of the longest wait.
    std::optional<Error> denied(const access::Principal& key, Money amount) const;
    // The same in words; empty where it would not be refused.
    std::string refusal(const access::Principal& key, Money amount) const;
    // The same without the amount, so that models of different prices share the reason.
    std::string refusal_of_any(const access::Principal& key, Money amount) const;
    // What a key has spent in the window under way, what is reserved not counted.
    Money spent(const std::string& key, config::Budget::Window window) const;
    // When the window under way ends, in milliseconds of Unix time; 0: never.
    std::int64_t end_of(config::Budget::Window window) const;

  private:
    friend class Reservation;
    friend class Admission;
    struct Window {
        std::int64_t start = 0;
        Money spent;                // settled
        std::optional<Money> told;  // the limit of which the log has said that it has no room
    };
    struct Account {
        Window windows[4];
        Money reserved;
        Tokens reserved_tokens;
        Rate requests;
        Rate tokens;  // settled
        std::int64_t running = 0;
    };
    WallTime now() const;
    std::int64_t steady_ms() const;
    Result<> may_take(const access::Principal& key, Account& account, Money amount, Tokens tokens) const;
    enum class Amount { said, left_out };
    std::optional<Error> denied_locked(const access::Principal& key, Account& account, Money amount, Amount says) const;
    // A line in the log, once for a limit and a window.
    void tell_no_room(const access::Principal& key, const config::Budget& budget, const Window& window,
                      Money reserved) const;
    Error denied_by(const access::Principal& key, std::size_t place, const Account& account, Money amount,
                    Amount says) const;
    Account& account_now(const std::string& key) const;
    void settle(const Reservation& reservation, Money cost, Tokens tokens);
    Result<> load_windows(store::Database& database, WallTime now);
    Result<> load_rates(store::Database& database, WallTime now);
    void leave(const std::string& key);

    const Clock& clock_;
    mutable std::mutex mutex_;
    mutable std::unordered_map<std::string, Account> accounts_;
    mutable WallTime latest_{};  // the latest time that was seen, and when that was
    mutable SteadyTime latest_at_{};
    mutable std::int64_t steady_ms_ = 0;
    std::string currency_;
};

class Ledger {
  public:
    explicit Ledger(store::Store& store) : store_(store) {}

    // Commits the last record of a request, after everything queued before it, and gives the receipt. `done` comes on
    // another thread. Errors: storage; then the answer's last byte must not be sent.
    void close(std::vector<AttemptRecord> attempts, store::Store::Job also, std::function<void(Result<Receipt>)> done);
    // The same without waiting, for a request whose client is gone.
    void close_unwatched(std::vector<AttemptRecord> attempts, store::Store::Job also);
    // What they came to since the start.
    const Meter& meter() const { return meter_; }

  private:
    store::Store::Job closing_job(std::vector<AttemptRecord> attempts, store::Store::Job also);

    store::Store& store_;
    Meter meter_;
};

// ---- questions, for the commands and the API ----

struct CostRow {
    std::string group;
    std::int64_t attempts = 0;
    Usage usage;  // estimated: some of it is
    Money cost;
    std::int64_t unpriced = 0;                     // attempts whose cost is not known, and not in `cost`
    std::map<prices::PriceSource, Money> sources;  // whose word `cost` is, in parts
};
enum class CostBy { model, zone, key, day };
inline constexpr std::array<std::string_view, 4> kCostByNames = {"model", "zone", "key", "day"};
Result<std::vector<CostRow>> cost_by(store::Database& database, CostBy by, std::int64_t since);

// Errors: not_found, storage.
Result<DecisionRecord> find_decision(store::Database& database, const std::string& id);
Result<DecisionRecord> last_decision(store::Database& database);
// Every decision since then, in order, with the JSON of its routing table. Ends where `visit` fails. Errors: storage,
// visit's.
Result<> each_decision(store::Database& database, std::int64_t since,
                       const std::function<Result<>(const DecisionRecord&, const std::string& table)>& visit);
// A request in short: its decision, its last attempt, and what all of them came to.
struct RequestRow {
    std::string decision;
    std::int64_t time = 0;  // milliseconds since 1970
    std::string key, alias;
    Label label = Label::public_;
    std::string outcome;  // as AttemptRecord's; `refused` where nobody was asked
    std::string model, provider;
    Zone zone = Zone::local;
    std::int64_t attempts = 0;
    Tokens input, output;
    Money cost;
    std::int64_t total_ms = 0;  // of the last attempt
};
// Every request from `since` to before `until`, in order. Errors: storage.
Result<> each_request(store::Database& database, std::int64_t since, std::int64_t until,
                      const std::function<void(const RequestRow&)>& visit);
Result<std::vector<AttemptRecord>> attempts_of(store::Database& database, const std::string& decision);

}  // namespace tandem::ledger
