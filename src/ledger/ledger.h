// What was decided, tried, used and paid. Append-only; money is integer micro-units.
//
// Budgets are in budgets/: what an attempt came to is added to their windows in the commit that closes it.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/label.h"
#include "base/money.h"
#include "base/result.h"
#include "ledger/budgets/budgets.h"
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
    std::string code;   // the Fault's name, where it failed; empty in old records
    std::int64_t first_byte_ms = -1;
    std::int64_t total_ms = 0;
    Usage usage;
    Money cost;
    prices::PriceSource source = prices::PriceSource::free;  // whose word `cost` is
    std::string bill;      // what it was made of (Bill::details); empty where it was nothing, and in old records
    std::string warnings;  // what is different about this attempt from what the client asked, separated by "; "
    // Of its request, for budgets and reports:
    std::string team;      // of the key when it asked; empty: none
    std::string owner;     // of the key then; empty: nobody is said
    std::string workflow;  // that the request named; empty: none
    std::string alias;
    Label label = Label::public_;
    std::string work;  // kind of work (routing::kWorkKindNames); empty in old records

    Subject subject() const { return {key, team, owner, workflow, alias, label, provider, model}; }
};

extern const char* const kLedgerSchema;
extern const char* const kLedgerSchema2;  // attempts under way, and what went into a provider's cache
extern const char* const kLedgerSchema3;  // what a cost was made of, and whose word it is
extern const char* const kLedgerSchema4;  // the currency of all amounts
extern const char* const kLedgerSchema5;  // why an attempt failed, in a code

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
Result<Lost> settle_lost(store::Store& store, Budgets& budgets);

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

class Ledger {
  public:
    Ledger(store::Store& store, Budgets& budgets) : store_(store), budgets_(budgets) {}

    // Commits the last record of a request, after everything queued before it, and gives the receipt. `done` comes on
    // another thread. Errors: storage; then the answer's last byte must not be sent.
    void close(std::vector<AttemptRecord> attempts, store::Store::Job also, std::function<void(Result<Receipt>)> done);
    // The same without waiting, for a request whose client is gone.
    void close_unwatched(std::vector<AttemptRecord> attempts, store::Store::Job also);
    // What they came to since the start.
    const Meter& meter() const { return meter_; }
    Meter& meter() { return meter_; }

  private:
    store::Store::Job closing_job(std::vector<AttemptRecord> attempts, store::Store::Job also);

    store::Store& store_;
    Budgets& budgets_;
    Meter meter_;
};

// ---- questions, for the commands and the API ----

// Sums by any dimension: ledger/reports/.

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
    std::int64_t last = 0;  // the number of its last attempt
    Tokens input, output;
    Money cost;
    std::int64_t total_ms = 0;  // of the last attempt
};
// Every request from `since` to before `until`, in order. Errors: storage.
Result<> each_request(store::Database& database, std::int64_t since, std::int64_t until,
                      const std::function<void(const RequestRow&)>& visit);
// Every attempt that began from `since` to before `until`, in order of its decision. Ends where `visit` fails. Errors:
// storage, visit's.
Result<> each_attempt(store::Database& database, std::int64_t since, std::int64_t until,
                      const std::function<Result<>(const AttemptRecord&)>& visit);
// The same of about `most` attempts of decisions after the one of this id: those of the last decision are all visited.
// They are read before the first is visited, so that `visit` may change them. False where these were all.
Result<bool> each_attempt_after(store::Database& database, const std::string& id, std::int64_t since,
                                std::int64_t until, std::int64_t most,
                                const std::function<Result<>(const AttemptRecord&)>& visit);
Result<std::vector<AttemptRecord>> attempts_of(store::Database& database, const std::string& decision);

}  // namespace tandem::ledger
