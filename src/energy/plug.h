// Counters of plugs: where each kind shows its own, and what it says there.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/hardware.h"
#include "energy/meter.h"

namespace tandem::energy {

// What is asked of a plug by GET:
// shelly: /rpc/Switch.GetStatus?id=N (Gen2 RPC); shelly-gen1: /status; tasmota: /cm?cmnd=Status%2010;
// home-assistant: /api/states/ENTITY (REST API, with a token).
std::string path_of(const config::Measure& measure);

// The counter in its answer: aenergy.total in Wh; meters[N].total in watt-minutes; StatusSNS.ENERGY.Total in kWh;
// `state` in attributes.unit_of_measurement, Wh, kWh or MWh. Errors: upstream, which says what was expected.
Result<Counter> counter_from(const config::Measure& measure, std::string_view answer);

}  // namespace tandem::energy
