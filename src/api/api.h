// The admin API under /tandem/v1, /healthz and /readyz; everything else is the gateway's.
//
// What it shows belongs to the owner: it takes the admin token, a key with `admin: true`, or anyone where no keys are
// configured (then only this machine can reach it). A key may read its own decisions.
#pragma once

#include "experiment/experiments.h"
#include "gateway/gateway.h"
#include "probe/probes.h"

namespace tandem::api {

class Api final : public net::Service {
  public:
    Api(gateway::Gateway& gateway, experiment::Experiments& experiments, probe::Probes& probes)
        : gateway_(gateway), experiments_(experiments), probes_(probes) {}

    Result<> admit(const net::Head& head) override { return gateway_.admit(head); }
    std::string holder_of(const net::Head& head) override { return gateway_.holder_of(head); }
    net::Task<> handle(net::Exchange& exchange) override;  // no coroutine: most requests are the gateway's
    net::Response error(std::string_view path, int status, const Error& error) override {
        return gateway_.error(path, status, error);
    }

  private:
    struct Call;
    net::Task<> handle_own(net::Exchange& exchange);
    net::Task<Result<std::string>> decisions(const Call& call);
    net::Task<Result<std::string>> engines(const Call& call);
    net::Task<Result<std::string>> feedback(const Call& call);
    Result<std::string> learning(const Call& call);
    net::Task<Result<std::string>> forget(const Call& call);
    net::Task<Result<std::string>> scan(const Call& call);
    net::Task<Result<std::string>> release(const Call& call);
    Result<std::string> status(const Call& call);
    Result<std::string> decide(const Call& call);
    net::Task<Result<std::string>> dispatch(const Call& call);

    gateway::Gateway& gateway_;
    experiment::Experiments& experiments_;
    probe::Probes& probes_;
};

}  // namespace tandem::api
