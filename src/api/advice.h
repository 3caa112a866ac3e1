// /tandem/v1/cost/compare and /tandem/v1/advice: what sets of models would come to for the work on record, what is
// proposed, and what was applied. Private to api/.
#pragma once

#include <string>

#include "gateway/gateway.h"

namespace tandem::api {

// The comparison as JSON, by the parameters since, until and with, which may all be missing. Errors: invalid, not_found
// (nothing is on record), storage.
net::Task<Result<std::string>> compare_costs(gateway::Gateway& gateway, const gateway::Call& call);
// The advice as JSON, by the same parameters, and all=true for what is dominated or not offered. Errors: the same.
net::Task<Result<std::string>> show_advice(gateway::Gateway& gateway, const gateway::Call& call);

// What was applied, newest first. Errors: storage.
net::Task<Result<std::string>> list_applied(gateway::Gateway& gateway, const gateway::Call& call);
// Takes {"name", "file", "backup", "before", "after", "predicted"} as strings. Errors: invalid, storage.
net::Task<Result<std::string>> note_applied(gateway::Gateway& gateway, const gateway::Call& call);
// Errors: not_found, storage.
net::Task<Result<std::string>> note_undone(gateway::Gateway& gateway, const gateway::Call& call);

}  // namespace tandem::api
