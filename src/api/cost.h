// Reports of what was used and paid, and costs that are priced anew. Private to api/.
#pragma once

#include <string>

#include "gateway/call.h"
#include "ledger/reports/render.h"
#include "net/task.h"

namespace tandem::api {

// Errors: invalid, not_found, storage.
net::Task<Result<ledger::reports::Answer>> make_report(gateway::Services& services, const gateway::Call& call);

// Takes {"since": TIME, "until": TIME, "own_prices": false, "dry_run": false}; only `since` must be there. Errors:
// invalid, storage.
net::Task<Result<std::string>> recompute_costs(gateway::Services& services, const gateway::Call& call);

}  // namespace tandem::api
