// /tandem/v1/cost/hours: what the owner has worked on models at home. Private to api/.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace tandem::api {

// Takes {"time": "1.5h", "kind": "operation", "text": "...", "date": "2026-11-20"}; without `date` it is now. Errors:
// invalid, storage.
net::Task<Result<std::string>> add_hours(gateway::Gateway& gateway, const gateway::Call& call);
// All entries, in order of time. Errors: storage.
net::Task<Result<std::string>> list_hours(gateway::Gateway& gateway, const gateway::Call& call);
// Errors: not_found, storage.
net::Task<Result<std::string>> remove_hours(gateway::Gateway& gateway, const gateway::Call& call);

}  // namespace tandem::api
