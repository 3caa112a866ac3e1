// What was decided, tried, used and paid. Append-only; money is integer micro-units.
//
// It also keeps the promises made on money and rates: a Reservation is taken before an attempt and settled after it, so
// that budgets hold however many requests run at once.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
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
    std::string outcome;  // answered, failed, cut, cancelled
    int status = 0;       // HTTP, 0 where none came
    std::string error;    // where it failed
    std::int64_t first_byte_ms = -1;
    std::int64_t total_ms = 0;
    Usage usage;
    Money cost;
    std::string warnings;  // what was changed or is different from what the client asked, separated by "; "
};

extern const char* const kLedgerSchema;

// Inside a transaction. Errors: storage.
Result<> insert(store::Database& database, const DecisionRecord& record);

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

// Leave to spend up to an amount. Gives back what it holds when it goes without being settled.
class Reservation {
  public:
    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;
    ~Reservation();
    // What the attempt really cost and used.
    void settle(Money cost, Tokens tokens);

  private:
    friend class Budgets;
    Reservation(Budgets* budgets, std::string key, Money amount, Tokens tokens)
        : budgets_(budgets), key_(std::move(key)), amount_(amount), tokens_(tokens) {}
    Budgets* budgets_ = nullptr;
    std::string key_;
    Money amount_;
    Tokens tokens_;
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

// What each key has spent in its windows (UTC hours, days and months) and uses right now. Safe from any thread.
class Budgets {
  public:
    explicit Budgets(const Clock& clock) : clock_(clock) {}

    // Reads back what the windows under way have seen. Errors: storage.
    Result<> load(store::Store& store);

    // Requests per minute and concurrency. Errors: rate_limited, with when it helps to come back.
    Result<Admission> admit(const access::Principal& key);

    // Money and tokens for one attempt. Errors: over_budget, rate_limited.
    Result<Reservation> reserve(const access::Principal& key, Money amount, Tokens tokens);
    // Whether reserve() would be refused now, for a decision; empty where it would not.
    std::string refusal(const access::Principal& key, Money amount) const;

  private:
    friend class Reservation;
    friend class Admission;
    struct Window {
        std::int64_t start = 0;
        Money spent;  // settled
    };
    struct Account {
        Window windows[4];
        Money reserved;
        std::int64_t minute = 0;  // which minute the two below are of
        std::int64_t requests = 0;
        std::int64_t tokens = 0;
        std::int64_t running = 0;
    };
    std::string refusal_locked(const access::Principal& key, Account& account, Money amount) const;
    Account& account_now(const std::string& key) const;
    void settle(const std::string& key, Money reserved, Tokens reserved_tokens, Money cost, Tokens tokens);
    void leave(const std::string& key);

    const Clock& clock_;
    mutable std::mutex mutex_;
    mutable std::unordered_map<std::string, Account> accounts_;
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
Result<std::vector<AttemptRecord>> attempts_of(store::Database& database, const std::string& decision);

}  // namespace tandem::ledger
