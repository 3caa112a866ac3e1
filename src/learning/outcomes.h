// How answers turned out, by whoever says so, and the traits of the requests that they were given to: what the router
// learns from. No text is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"
#include "store/store.h"

namespace tandem::learning {

extern const char* const kOutcomesSchema;
extern const char* const kOutcomesSchema2;  // what was expected

struct OutcomeRecord {
    std::string decision;
    std::string source;
    std::string key;  // who says so
    std::int64_t time = 0;
    std::string model;
    std::string identity;
    double value = 0;
    double weight = 1;
    std::string traits;
    std::string note;                               // the owner's comment
    std::optional<double> expected = std::nullopt;  // of its value, before anything was learned; 0 to 1
};

// Inside a transaction. Errors: storage.
// One of the same decision, source and key is replaced.
Result<> insert(store::Database& database, const OutcomeRecord& record);
// The newest, oldest of them first; of one model, or of all where `model` is empty.
Result<std::vector<OutcomeRecord>> newest_outcomes(store::Database& database, const std::string& model, int most);
// Deletes all but the newest `most` of a model that nobody said in words: signs come by the thousand.
Result<> prune_signs(store::Database& database, const std::string& model, int most);
Result<> forget_outcomes(store::Database& database, const std::string& model);

}  // namespace tandem::learning
