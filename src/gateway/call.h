// A request that has come through the door: who asks, what its headers say, and the snapshot that holds to its end.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "access/principal.h"
#include "access/request_headers.h"
#include "gateway/services.h"
#include "ledger/ledger.h"
#include "net/server.h"

namespace tandem::gateway {

// A value; the exchange outlives it.
struct Call {
    net::Exchange& exchange;
    std::shared_ptr<const Snapshot> snapshot;
    access::Principal who;
    access::RequestHeaders said;
    // Its place among the principal's requests, taken at the door and kept to its end. Null: the flow takes it.
    std::shared_ptr<const ledger::Admission> admission;
    std::vector<std::string> parts;  // what stands at the parameters of the route's path

    const net::Request& request() const { return exchange.request(); }
};

}  // namespace tandem::gateway
