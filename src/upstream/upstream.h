// One attempt at one provider, and what is known of the providers' health.
//
// Nothing is sent without a Clearance (privacy's leave for these bytes to this provider) and a Reservation (ledger's
// leave to spend). Retrying and falling back are the gateway's: it takes a new leave for each attempt.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/secret.h"
#include "config/config.h"
#include "ledger/ledger.h"
#include "net/client.h"
#include "privacy/privacy.h"
#include "upstream/gate.h"
#include "upstream/health.h"
#include "upstream/pace.h"

namespace tandem::upstream {

// What to do after a failure that came before the first byte of an answer.
enum class Remedy {
    retry,    // the same candidate may do it a moment later: connection, 5xx, 429
    next,     // this candidate will not, another may: key refused, model unknown, context too small, timeout
    give_up,  // the request itself is at fault, or it was cancelled, or its deadline passed
};

struct Failure {
    Error error;
    Remedy remedy = Remedy::retry;
    std::optional<config::FailureClass> what;  // of what the provider did; the owner says what follows
    bool sent = false;                         // it may have seen the request, and be at work on it
    bool provider_unwell = false;              // counts against its health
    int status = 0;                            // HTTP, 0 where none came
    std::string body;                          // the provider's own error body, for a client of the same dialect
    std::optional<seconds> retry_after;
    std::optional<milliseconds> rest;  // how long this key wants not to be used
};

// Where and how to reach a provider.
struct Endpoint {
    const provider::Kind* kind;
    std::string base_url;
    std::shared_ptr<const net::LocalAddress> local;  // of an engine: what to connect to, whatever the URL's host
    std::shared_ptr<const Secret> api_key;
    milliseconds connect_timeout;
    milliseconds first_byte_timeout;
    milliseconds idle_timeout;
};
Endpoint endpoint_of(const config::Provider& provider);

struct Sent {
    net::Answer answer;   // status 2xx, header read
    bool stream = false;  // events or lines as they come, by its content type
};

// One call: where to below the provider's base URL. Nothing of it is made by a client: that is in the Clearance.
struct Call {
    std::string path;
    std::string method = "POST";
    bool stream = false;
};

// Sends the cleared body and the cleared headers to call.path below the provider's base URL, and waits for the answer's
// header.
net::Task<std::expected<Sent, Failure>> send(net::Caller& client, privacy::Clearance clearance,
                                             const ledger::Reservation& leave_to_spend, const Endpoint& endpoint,
                                             Call call, SteadyTime deadline, net::Cancel& cancel, const Clock& clock);

}  // namespace tandem::upstream
