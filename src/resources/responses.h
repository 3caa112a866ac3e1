// OpenAI Responses beyond one request: what is stored, goes on from before, or runs in the background. What one
// principal has left here, no other one finds.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "gateway/gateway.h"
#include "jobs/runner.h"
#include "resources/live.h"
#include "resources/promises.h"

namespace tandem::resources {

struct Plan;  // what a request says of what is kept

// Safe from any worker.
class Responses {
  public:
    // Both outlive it, and the runner's work ends first.
    Responses(gateway::Gateway& gateway, jobs::Runner& runner) : gateway_(gateway), runner_(runner) {}

    // Those that a restart has cut off have failed. Once, before requests are taken. Errors: storage.
    Result<> fail_interrupted();

    // POST /v1/responses; `counts`: /v1/responses/input_tokens.
    net::Task<> answer(gateway::Call call, bool counts);

    // Below, Call::parts has the id of a response. Errors: not_found, invalid, storage.
    net::Task<> read(gateway::Call call);  // or its events again, with ?stream=true
    net::Task<Result<std::string>> cancel(const gateway::Call& call);
    net::Task<Result<std::string>> remove(const gateway::Call& call);
    net::Task<Result<std::string>> list_items(const gateway::Call& call);

  private:
    net::Task<> start_background(gateway::Call call, std::shared_ptr<const Plan> plan, Held memory,
                                 const std::string& model);
    // Null where none is being made in the background.
    std::shared_ptr<Live> live(const std::string& id) const;

    gateway::Gateway& gateway_;
    jobs::Runner& runner_;
    Promises promises_;  // background responses under way of a key, bytes for a conversation
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<Live>> live_;  // by the response's id
};

}  // namespace tandem::resources
