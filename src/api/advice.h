// /tandem/v1/cost/compare and /tandem/v1/advice: what sets of models would come to for the work on record, what is
// proposed, and what was applied. Private to api/.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace tandem::api {

// The comparison as JSON, by the parameters since, until and with, which may all be missing. Errors: invalid, not_found
// (nothing is on record), storage.
net::Task<Result<std::string>> compare_costs(gateway::Gateway& gateway, const gateway::Call& call);

}  // namespace tandem::api
