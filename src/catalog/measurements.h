// Measurements of models, as they are kept: whoever finds out what a model does (a probe) writes them here, and the
// next routing table is made of them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/models.h"
#include "store/store.h"

namespace tandem::catalog {

extern const char* const kMeasurementsSchema;
extern const char* const kMeasurementsSchema2;  // intervals

// What can be measured of a model.
enum class Quantity { context, max_output, tools, vision, json, reasoning };
inline constexpr std::array<std::string_view, 6> kQuantityNames = {"context", "max_output", "tools",
                                                                   "vision",  "json",       "reasoning"};

struct Measurement {
    std::string model;  // its id in the config
    Quantity quantity = Quantity::context;
    // Tokens; of what it can do or cannot, 1 or 0. Of a context 0: it fails at the shortest prompt too, which says
    // nothing of length. Of tools also kRendered.
    std::int64_t value = 0;
    // Of the model that was measured (Learning::identity): of another one under the same id it says nothing.
    std::string identity;
    std::string source;              // who measured, for people
    std::int64_t time = 0;           // Unix milliseconds
    std::int64_t low = 0, high = 0;  // within which the value is; both 0: nobody said
    std::int64_t asked = 0;          // questions that it was found out by
    bool operator==(const Measurement&) const = default;
};

// Of Quantity::tools: it calls tools that are told in its prompt better than those that its template tells.
inline constexpr std::int64_t kNative = 1, kRendered = 2;

// Inside a transaction. One of the same model and quantity is replaced. Errors: storage.
Result<> put(store::Database& database, const Measurement& measurement);
// Of all models, by model and quantity. Errors: storage.
Result<std::vector<Measurement>> measurements(store::Database& database);
// Of one model: nothing is measured of it any more. Errors: storage.
Result<> forget(store::Database& database, const std::string& model);

// What they say of a model that has this identity now.
Measured measured_of(const std::vector<Measurement>& measurements, const std::string& model, std::string_view identity);

}  // namespace tandem::catalog
