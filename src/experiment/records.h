// What experiments leave in the store. Private to experiment/, but for the schema.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace tandem::experiment {

extern const char* const kExperimentsSchema;
// Ids of the decisions that reports of experiments are made of, as SQL.
inline constexpr std::string_view kDecisionsOfTrials = "SELECT decision FROM trials UNION SELECT other FROM trials";

enum class State { running, stopped, applied };

struct Record {
    std::string name;
    std::string definition;  // config::to_json
    State state = State::running;
    bool treatment = false;  // of an applied one: who won
    std::int64_t first = 0;  // the first trial that counts: what was measured of another definition does not
    std::int64_t started = 0, ended = 0;
};

// One answer that a client got, and, where another model was asked as well, that one's.
struct Trial {
    std::int64_t number = 0;
    std::string experiment;
    std::string decision, unit;
    bool treatment = false;  // whose answer the client got
    bool faulty = false;
    std::string question, said;  // texts, for a judge and the owner; only where a judge compares
    std::string other;           // the decision of the other model's; empty: there is none
    bool other_faulty = false;
    std::string other_said;
    std::optional<int> judged, voted;  // 1: the treatment is better, 0: neither, -1: the control
    std::string note;                  // why there is no other answer, or no verdict
};

// Inside a transaction. Errors: storage.
Result<> put(store::Database& database, const Record& record);
Result<std::vector<Record>> records(store::Database& database);
Result<> insert(store::Database& database, const Trial& trial);
Result<> put_other(store::Database& database, const Trial& trial);
Result<> put_verdict(store::Database& database, const Trial& trial);
Result<std::int64_t> next_trial(store::Database& database);
// Errors: not_found, storage.
Result<> vote(store::Database& database, const std::string& experiment, std::int64_t number, int verdict);

// A trial with what it cost and how it was taken.
struct Measured {
    Trial trial;
    std::optional<double> feedback;   // 0 to 1
    double cost = 0, other_cost = 0;  // in the owner's currency
    double seconds = 0, other_seconds = 0;
};
Result<std::vector<Measured>> measured(store::Database& database, const std::string& experiment, std::int64_t first);

}  // namespace tandem::experiment
