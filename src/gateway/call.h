// A request that has come through the door: who asks, what its headers say, and the snapshot that holds to its end.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/principal.h"
#include "access/request_headers.h"
#include "base/money.h"
#include "gateway/services.h"
#include "ledger/ledger.h"
#include "net/server.h"

namespace tandem::gateway {

// What is logged of a request when it has been answered. Nothing in it was written by a client or a provider.
struct RequestNote final : net::Note {
    std::string_view route;  // of the table, not the path that was asked for
    std::string key;         // whose request it is
    // Of a question:
    std::string decision, alias, model, provider;
    std::optional<Zone> zone;  // where it was answered
    std::optional<Label> label;
    int attempts = 0;
    int fallbacks = 0;
    milliseconds beating{0};  // from the first byte, where that was a beat of ours, to the first of the answer
    bool cached = false;
    std::string redacted;  // types and counts of what was taken out: "IBAN_CODE:1,PERSON:2"
    Usage usage;           // of all attempts
    Money cost;
    std::optional<Fault> refused;  // why it got no answer
};

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
