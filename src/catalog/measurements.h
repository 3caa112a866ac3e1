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

// What can be measured of a model.
enum class Quantity { context, max_output, tools, vision, json, reasoning };
inline constexpr std::array<std::string_view, 6> kQuantityNames = {"context", "max_output", "tools",
                                                                   "vision",  "json",       "reasoning"};

struct Measurement {
    std::string model;  // its id in the config
    Quantity quantity = Quantity::context;
    std::int64_t value = 0;  // tokens; 1 or 0 for what it can do or cannot
    // Of the model that was measured (Learning::identity): of another one under the same id it says nothing.
    std::string identity;
    std::string source;     // who measured, for people
    std::int64_t time = 0;  // Unix milliseconds
    bool operator==(const Measurement&) const = default;
};

// Inside a transaction. One of the same model and quantity is replaced. Errors: storage.
Result<> put(store::Database& database, const Measurement& measurement);
// Of all models, by model and quantity. Errors: storage.
Result<std::vector<Measurement>> measurements(store::Database& database);
// Of one model: nothing is measured of it any more. Errors: storage.
Result<> forget(store::Database& database, const std::string& model);

// What they say of a model that has this identity now.
Measured measured_of(const std::vector<Measurement>& measurements, const std::string& model, std::string_view identity);

}  // namespace tandem::catalog
