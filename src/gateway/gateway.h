// The request's way: authenticate, label, decide, attempt, record. This file is its door; run.cpp is the way itself.
#pragma once

#include <unordered_map>

#include "gateway/background.h"
#include "gateway/services.h"
#include "net/server.h"

namespace tandem::gateway {

class Gateway final : public net::Service {
  public:
    // How providers are reached from a worker.
    using Dialer = std::function<std::unique_ptr<net::Caller>(net::Worker&)>;
    // Services and workers outlive it. Without a dialer providers are reached over the network.
    Gateway(Services& services, const std::vector<net::Worker*>& workers, const Dialer& dialer = {});

    // Who sends this: a key of the config, the admin token, or, where there are no keys, anonymous. The result lives as
    // long as the snapshot. Errors: unauthenticated.
    Result<const config::Key*> authenticate(const Snapshot& snapshot, const net::Fields& headers) const;

    Result<> admit(const net::Head& head) override;
    std::string holder_of(const net::Head& head) override;
    net::Task<> handle(net::Exchange& exchange) override;
    net::Response error(std::string_view path, int status, const Error& error) override;

    // A key by its id, those that no client can name included; null where there is none. Lives as long as the snapshot.
    const config::Key* key_named(const Snapshot& snapshot, const std::string& id) const;

    Background& background() { return background_; }
    // Batches at work, so that one can be told to end.
    void remember_batch(const std::string& id, std::function<void()> cancel);
    void forget_batch(const std::string& id);
    void cancel_batch(const std::string& id);

    net::Caller& client_of(net::Worker& worker) { return *clients_.at(&worker); }
    Services& services() { return services_; }

  private:
    net::Task<> handle_rest(net::Exchange& exchange);
    Result<> check_origin(const Snapshot& snapshot, const net::Head& head) const;

    Services& services_;
    std::optional<net::ClientShared> client_shared_;  // where providers are reached over the network
    std::unordered_map<net::Worker*, std::unique_ptr<net::Caller>> clients_;
    Background background_;
    std::mutex batches_mutex_;
    std::unordered_map<std::string, std::function<void()>> batches_;
    config::Key anonymous_;
    config::Key admin_;
};

// Headers that let the browser page of an allowed origin read an answer; none for others.
void add_cors(const Snapshot& snapshot, const net::Fields& request, net::Fields& answer);

// The parts of a path below its prefix: "/v1/files/a/content" has "a" and "content" below "/v1/files".
std::vector<std::string> parts_below(std::string_view path, std::string_view prefix);

// `text` as the value of a header: one line of printable ASCII.
std::string header_text(std::string_view text);

}  // namespace tandem::gateway
