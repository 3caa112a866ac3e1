// A part of a month, out of the ledger. Private to ledger/local/.
#pragma once

#include "ledger/local/cloud.h"
#include "ledger/local/month.h"

namespace tandem::ledger::local {

// What is in `month.counted`: hours, machines, groups, and what it would have cost at each model of `comparison`.
// Errors: storage.
Result<> fill(store::Database& database, const config::Config& config, Comparison& comparison, Month& month);

}  // namespace tandem::ledger::local
