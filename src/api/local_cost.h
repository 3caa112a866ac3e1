// /tandem/v1/cost/local and /tandem/v1/cost/hours: what models at home cost, and what the owner has worked on them.
// Private to api/.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace tandem::api {

// A month at home as JSON, by the parameters month and against, which may both be missing. Errors: invalid, storage.
net::Task<Result<std::string>> local_cost(gateway::Gateway& gateway, const gateway::Call& call);

// Takes {"time": "1.5h", "kind": "operation", "text": "...", "date": "2026-11-20"}; without `date` it is now. With
// "noticed": "3" it is the work of what was noticed, which says what the body does not. Errors: invalid, not_found,
// storage.
net::Task<Result<std::string>> add_hours(gateway::Gateway& gateway, const gateway::Call& call);
// All entries, in order of time, and what was noticed. Errors: storage.
net::Task<Result<std::string>> list_hours(gateway::Gateway& gateway, const gateway::Call& call);
// Errors: not_found, storage.
net::Task<Result<std::string>> remove_hours(gateway::Gateway& gateway, const gateway::Call& call);
// Forgets something that was noticed. Errors: not_found, storage.
net::Task<Result<std::string>> dismiss_noticed(gateway::Gateway& gateway, const gateway::Call& call);

}  // namespace tandem::api
