// /tandem/v1/probes: what models really did when they were asked. Private to api/.
#pragma once

#include <string>

#include "gateway/gateway.h"
#include "net/message.h"
#include "probe/probes.h"

namespace tandem::api {

// `rest` is the path below /tandem/v1/, "probes" or "probes/MODEL". POST takes {"model": NAME, "suites": [NAME, ...] or
// ["all"], "each": 1 to 20, "seed", "longest": tokens, "budget": "0.50", "idle": true}, or {"model": NAME, "forget":
// true}. Errors: invalid, not_found, method, storage, unavailable.
net::Task<Result<std::string>> serve_probes(gateway::Gateway& gateway, probe::Probes& probes,
                                            const net::Request& request, std::string_view rest);

}  // namespace tandem::api
