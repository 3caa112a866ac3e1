// What the requests' way needs beside the services: clients of providers, and what is remembered of models. api/ is the
// door in front of it; run.cpp is the way itself.
#pragma once

#include <unordered_map>

#include "dialect/dialect.h"
#include "gateway/call.h"
#include "gateway/overruns.h"
#include "translate/thoughts.h"

namespace tandem::gateway {

class Gateway {
  public:
    // How providers are reached from a worker.
    using Dialer = std::function<std::unique_ptr<net::Caller>(net::Worker&)>;
    // Services and workers outlive it. Without a dialer providers are reached over the network.
    Gateway(Services& services, const std::vector<net::Worker*>& workers, const Dialer& dialer = {});

    translate::Thoughts& thoughts() { return thoughts_; }
    Overruns& overruns() { return overruns_; }

    net::Caller& client_of(net::Worker& worker) { return *clients_.at(&worker); }
    Services& services() { return services_; }

  private:
    Services& services_;
    std::optional<net::ClientShared> client_shared_;  // where providers are reached over the network
    std::unordered_map<net::Worker*, std::unique_ptr<net::Caller>> clients_;
    translate::Thoughts thoughts_;
    Overruns overruns_;
};

// An error in a dialect's words. `status` is HTTP's word where the transport found the error; 0: the dialect's.
net::Response error_response(dialect::Kind dialect, int status, const Error& error);

// Answers with a JSON body or an error, and lets pages of allowed origins read it.
net::Task<> reply_json(const Call& call, dialect::Kind dialect, Result<std::string> body, net::Fields headers = {});

// `text` as the value of a header: one line of printable ASCII.
std::string header_text(std::string_view text);

}  // namespace tandem::gateway
