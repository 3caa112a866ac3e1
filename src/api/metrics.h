// GET /metrics: what happens, in Prometheus' text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). Private to api/.
#pragma once

#include <string>

#include "gateway/services.h"

namespace tandem::api {

// Counters are since the start; nothing in it names a key, a prompt or an answer.
std::string metrics(gateway::Services& services);

}  // namespace tandem::api
