#include "catalog/measurements.h"

#include <fmt/format.h>

#include "base/time_text.h"
#include "store/row.h"

namespace tandem::catalog {

const char* const kMeasurementsSchema =
    "CREATE TABLE measurements (model TEXT NOT NULL, quantity INTEGER NOT NULL, value INTEGER NOT NULL, identity TEXT "
    "NOT NULL, source TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (model, quantity)) STRICT, WITHOUT ROWID;";

const char* const kMeasurementsSchema2 =
    "ALTER TABLE measurements ADD COLUMN low INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE measurements ADD COLUMN high INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE measurements ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;";

namespace {

const store::Table<Measurement>& table() {
    using M = Measurement;
    static const store::Table<M> measurements(
        "measurements",
        {store::column("model", &M::model), store::column("quantity", &M::quantity), store::column("value", &M::value),
         store::column("identity", &M::identity), store::column("source", &M::source), store::column("time", &M::time),
         store::column("low", &M::low), store::column("high", &M::high), store::column("asked", &M::asked)});
    return measurements;
}

void take_capability(config::Capability capability, bool can, Measured& measured) {
    (can ? measured.has : measured.lacks).add(capability);
}

constexpr std::int64_t kDay = 86'400'000;  // milliseconds

std::string who(const Measurement& one) {
    return fmt::format("measured {} by {}", date_text(one.time - one.time % kDay), one.source);
}

}  // namespace

Result<> put(store::Database& database, const Measurement& measurement) {
    return table().replace(database, measurement);
}

Result<std::vector<Measurement>> measurements(store::Database& database) {
    static const auto kAll = table().select("ORDER BY model, quantity");
    auto rows = database.prepare(kAll.c_str());
    return table().all(rows);
}

Result<> forget(store::Database& database, const std::string& model) {
    return database.prepare("DELETE FROM measurements WHERE model = ?").bind(1, model).run();
}

Measured measured_of(const std::vector<Measurement>& measurements, const std::string& model,
                     std::string_view identity) {
    using enum config::Capability;
    Measured measured;
    for (const auto& one : measurements) {
        if (one.model != model || one.identity != identity) continue;
        switch (one.quantity) {
            case Quantity::context:
                if (one.value <= 0) break;
                measured.context_tokens = one.value;
                measured.context_by = who(one);
                break;
            case Quantity::max_output:
                measured.max_output_tokens = one.value;
                break;
            case Quantity::tools:
                take_capability(tools, one.value != 0, measured);
                if (one.value != 0) measured.renders_tools = one.value == kRendered;
                measured.tools_by = who(one);
                break;
            case Quantity::vision:
                take_capability(vision, one.value != 0, measured);
                break;
            case Quantity::json:
                take_capability(json, one.value != 0, measured);
                break;
            case Quantity::reasoning:
                take_capability(reasoning, one.value != 0, measured);
                break;
        }
    }
    return measured;
}

}  // namespace tandem::catalog
