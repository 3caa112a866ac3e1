// GET /metrics: what happens, in Prometheus' text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4). Private to api/.
#pragma once

#include <string>

#include "api/traffic.h"
#include "gateway/services.h"

namespace tandem::api {

// Counters are since the start. Labels are names of the config: of keys, never a key's secret; of aliases, never what a
// client made up.
std::string metrics(gateway::Services& services, const Traffic& traffic);

}  // namespace tandem::api
