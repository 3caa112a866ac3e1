// The one door: every request is matched with the table of routes, its principal and its deciding headers are read, and
// it is counted, before anything answers it. Also what answers under /tandem/v1.
//
// What is shown there belongs to the owner: it takes the admin token, a key with `admin: true`, or anyone where no keys
// are configured (then only this machine can reach it). A key may read its own decisions.
#pragma once

#include "api/keys.h"
#include "api/retrieval.h"
#include "api/routes.h"
#include "api/traffic.h"
#include "experiment/experiments.h"
#include "gateway/gateway.h"
#include "ledger/reports/render.h"
#include "probe/probes.h"
#include "resources/batches.h"
#include "resources/responses.h"

namespace tandem::api {

class Api final : public net::Service {
  public:
    static constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

    Api(gateway::Gateway& gateway, resources::Responses& responses, resources::Batches& batches,
        experiment::Experiments& experiments, probe::Probes& probes, TakeKeys take_keys, FindIndex find_index)
        : gateway_(gateway),
          responses_(responses),
          batches_(batches),
          experiments_(experiments),
          probes_(probes),
          take_keys_(std::move(take_keys)),
          find_index_(std::move(find_index)) {}

    Result<std::shared_ptr<const net::Admitted>> admit(const net::Head& head) override;
    net::Task<> handle(net::Exchange& exchange) override;  // no coroutine: most requests are the gateway's
    net::Response error(const net::Request& request, int status, const Error& error) override;
    void answered(const net::Request& request, const net::Answered& how) override;

    // ---- for the table of routes ----

    using Call = gateway::Call;
    using Body = Result<std::string>;
    gateway::Gateway& gateway() { return gateway_; }
    resources::Responses& responses() { return responses_; }
    resources::Batches& batches() { return batches_; }
    const FindIndex& find_index() const { return find_index_; }
    std::string metrics_text();
    net::Task<Result<ledger::reports::Answer>> cost(const Call& call);
    net::Task<Body> recompute(const Call& call);
    net::Task<Body> decision(const Call& call);
    net::Task<Body> feedback(const Call& call);
    net::Task<Body> forget(const Call& call);
    net::Task<Body> scan(const Call& call);
    net::Task<Body> release(const Call& call);
    net::Task<Body> forget_labels(const Call& call);
    net::Task<Body> list_keys(const Call& call);
    net::Task<Body> create_key(const Call& call);
    net::Task<Body> rotate_key(const Call& call);
    net::Task<Body> revoke_key(const Call& call);
    net::Task<Body> experiments(const Call& call);
    net::Task<Body> probes(const Call& call);
    net::Task<Body> start_engine(const Call& call);
    net::Task<Body> stop_engine(const Call& call);
    net::Task<Body> upgrade_engine(const Call& call);
    net::Task<Body> rollback_engine(const Call& call);
    Body engine_versions(const Call& call);
    net::Task<Body> engines(const Call& call);
    Body learning(const Call& call);
    Body status(const Call& call);
    Body config(const Call& call);
    Body logs(const Call& call);
    Body decide(const Call& call);

  private:
    net::Task<Result<>> tell_of_switch();
    Body engines_with(const Call& call, const std::vector<engine::AdoptedStatus>& adopted);
    // Who sent a request: who was admitted, unless the config has changed since. Errors: as access::authenticate().
    Result<access::Principal> sender_of(const net::Exchange& exchange, const net::Request& request,
                                        const std::shared_ptr<const gateway::Snapshot>& snapshot) const;
    Result<gateway::Call> open_door(net::Exchange& exchange, const Match& match,
                                    std::shared_ptr<const gateway::Snapshot> snapshot);
    // Answers what has no route, or `error`.
    net::Task<> refuse(net::Exchange& exchange, std::shared_ptr<const gateway::Snapshot> snapshot, Match match,
                       std::optional<Error> error);

    gateway::Gateway& gateway_;
    resources::Responses& responses_;
    resources::Batches& batches_;
    experiment::Experiments& experiments_;
    probe::Probes& probes_;
    TakeKeys take_keys_;
    FindIndex find_index_;
    Traffic traffic_;
};

}  // namespace tandem::api
