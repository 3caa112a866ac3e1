// What a combination of models, rules and machines would come to for the work on record: cost of a month, quality,
// privacy, waits, hours. A pure function of a Situation and a Combination.
//
// Promises: who answers is decided by routing::decide() itself, with the combination's table, so no row ever sends a
// request where its label, its context or its needs forbid it; what nobody may answer is counted and named by its
// reason. The cloud is priced by the function that books attempts, with all buckets; machines, electricity and capital
// by ledger/local's, used and idle. Sums are exact and rounded once, to micro-units of a month. Formulas and what is
// assumed: docs/concepts/advisor.md.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "advice/knowledge.h"
#include "advice/traffic.h"
#include "config/config.h"
#include "ledger/local/cost.h"
#include "routing/routing.h"

namespace tandem::advice {

// Where a local model runs, and how many answers it gives at once on one machine.
struct Station {
    std::string model;
    std::string machine;  // id of the hardware; empty: none of the config runs its provider
    int slots = 1;
    bool slots_known = true;       // else one is assumed
    double patience_ms = 120'000;  // a request that would wait longer goes to the next model that may take it
    std::optional<Speed> speed;    // before what was measured: a machine that is not there yet
};

struct Machine {
    config::Hardware hardware;
    int count = 1;      // whole machines of it, each with the slots of its stations
    bool new_ = false;  // to be bought: it is written off from the first month on
};

// What apply does to tandem.yaml, and what is left to the owner's hands.
struct Change {
    enum class What : std::uint8_t {
        preset,         // policy.preset: `value`
        auto_use,       // models.`name`.auto: `value`, true or false
        add_model,      // models.`name`: `value` (a flow mapping of YAML)
        need_provider,  // providers.`name`, by hand: its key is nobody's to know
        buy,            // machine `name`, `value` times, by hand
        sell,           // machine `name`, by hand
    };
    What what = What::preset;
    std::string name, value;
    bool by_hand() const { return what >= What::need_provider; }
    std::string text() const;  // for people: "set policy.preset: learned"
};

struct Combination {
    std::string id;    // stable as long as the config is: "today", "cloud-only", "learned+without-gpt"
    std::string name;  // for people
    routing::Table table;
    std::vector<Station> stations;  // of the local models of the table
    std::vector<Machine> machines;
    // As it was: who answered is what the ledger says, what it cost is what was booked.
    bool as_recorded = false;
    std::vector<Change> changes;
};

// A model that is not in the config, of the price book.
struct Added {
    routing::Table::Entry entry;  // its `provider` is one of the config where that has it
    std::string name;             // as its provider calls it
    bool provider_is_there = false;
};

// All that an evaluation needs, read once.
struct Situation {
    Traffic traffic;
    Knowledge knowledge;
    Combination today;  // as the config has it; not `as_recorded`
    config::Energy energy;
    std::optional<Money> hour_rate;
    // Of the owner in the span, on machines and models at home: as much as its part of the time that hours are noted
    // for, a year at most, since work comes in lumps of which a month has few. And one standard error of it, as a
    // share.
    std::int64_t work_ms = 0;
    double work_error = 0;
    std::map<std::string, ledger::local::Quarters> measured;  // electricity, by machine
    std::vector<Added> with;                                  // that were asked for by name
    std::string currency = "USD";
    std::vector<std::string> notes;  // what is not known, and where to say it
};

// Whom a request was not answered by, and why.
enum class Unserved : std::uint8_t { label, context, capability, other, failed };
inline constexpr std::array<std::string_view, 5> kUnservedNames = {"label", "context", "capability", "other", "failed"};

struct StationResult {
    std::string model, machine;
    int servers = 0;
    std::int64_t served = 0;
    std::int64_t passed_on = 0;         // would have waited too long, and went to another model
    std::int64_t turned_away = 0;       // would have waited too long, and no other model may
    double wait_p50 = 0, wait_p95 = 0;  // milliseconds, of those that it served
    double utilisation = 0;             // of its servers over the span
    bool speed_known = true;
    bool keeps_up = true;  // nobody was turned away or passed on, and utilisation is below 1
};

// How often a model answers a kind of work of a hardness, as a share of all requests: what the doubts of its quality
// count with.
using Loadings = std::map<std::string, std::array<double, kCells>>;

struct Evaluation {
    std::string id, name;
    std::int64_t span_ms = 0;  // that it was made from
    std::int64_t requests = 0, answered = 0;
    std::array<std::int64_t, kUnservedNames.size()> unserved{};
    std::map<std::string, std::int64_t> by_model;  // answers
    std::int64_t renamed = 0;                      // named a model or zone that is not in it: counted as `auto`

    // Of a month, in the ledger's currency.
    Money cloud;                  // all models with a price, as they are booked
    Money depreciation, capital;  // of the machines
    Money energy_used, energy_idle;
    Money hardware_used;  // of depreciation and capital, by busy time
    Money work;           // the owner's hours at their rate
    Money machines() const { return depreciation + capital + energy_used + energy_idle; }
    Money used() const { return hardware_used + energy_used; }
    Money idle() const { return machines() - used(); }
    Money total() const { return cloud + machines() + work; }
    double hours = 0;                   // of the owner in a month
    std::vector<std::string> unpriced;  // models that nobody knows the price of: their cost counts as 0

    // Mean over all requests; one that nobody answers counts 0. 95 %: what is not known of the models.
    double quality = 0, low = 0, high = 1;
    Loadings loadings;
    double mean_value = 0;  // of a good answer, over all requests, in the ledger's currency

    std::int64_t private_requests = 0, private_home = 0;  // labelled private or more; of them, answered at home
    double private_share() const;                         // 1 where there are none

    // Milliseconds, waits in the queue included, of answered requests. Only of those whose model's speed is known.
    double first_p50 = 0, first_p95 = 0, total_p50 = 0, total_p95 = 0;
    std::int64_t timed = 0;  // how many those are
    // They are nine of ten at least, so that the percentiles are those of all.
    bool latency_known() const;
    std::vector<StationResult> stations;
    bool keeps_up() const;

    // What the month is worth by the owner's own objective (policy.objective): the value of good answers less cost and
    // waiting. Of this, what each day of the span gave, machines and hours apart.
    double worth = 0;
    std::vector<double> daily;
    std::vector<std::string> notes;
};

// Evaluates many combinations of one situation: what a model would cost, how good and how fast it would be for a
// request is reckoned once. Not safe from two threads at once.
class Evaluator {
  public:
    // `situation` is borrowed.
    explicit Evaluator(const Situation& situation);
    ~Evaluator();
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;

    // `most`: of the requests, the newest so many (0: all), for a search among many combinations.
    Evaluation evaluate(const Combination& combination, std::size_t most = 0);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Of one.
Evaluation evaluate(const Situation& situation, const Combination& combination, std::size_t most = 0);

// Of the 95 % interval, in standard errors.
inline constexpr double kNormal = 1.96;
// Of the quality of a combination, by what is not known of its models: docs/concepts/advisor.md has the formula.
double variance_of(const Knowledge& knowledge, const Loadings& loadings);

// By how much a month of `one` is worth more than a month of `other`, and one standard error of that: what is not known
// of the models where they answer differently, and how days differ.
struct Gain {
    double mean = 0, error = 0;
    bool sure() const;  // more than 1.96 errors above 0
    // How likely it is above 0, and what is lost on average where it is not: of a normal.
    double likely() const;
    double expected_loss() const;
    // Whether what is known tells the two apart at all, whichever is worth more.
    bool tells_apart() const { return sure() || Gain{-mean, error}.sure(); }
};
Gain gain_of(const Situation& situation, const Evaluation& one, const Evaluation& other);

// The same with the least number of whole machines with which all stations keep up; nullopt: kMostMachines of each do
// not, or there is none to have more of.
inline constexpr int kMostMachines = 8;
std::optional<Combination> grown(Evaluator& evaluator, Combination combination);

}  // namespace tandem::advice
