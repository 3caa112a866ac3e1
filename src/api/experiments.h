// /tandem/v1/experiments: what runs, what it has shown, and the owner's word on it. Private to api/.
#pragma once

#include <string>

#include "experiment/experiments.h"
#include "gateway/services.h"
#include "net/message.h"

namespace tandem::api {

// `rest` is the path below /tandem/v1/, "experiments" or "experiments/...". Errors: invalid, not_found, method,
// storage.
net::Task<Result<std::string>> serve_experiments(gateway::Services& services, experiment::Experiments& experiments,
                                                 const net::Request& request, std::string_view rest);

}  // namespace tandem::api
