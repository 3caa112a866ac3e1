// Batches in OpenAI's shape: JSONL in, JSONL out. Each line goes the way of every request, with its own label, decision
// and budget, and is answered exactly once, also when the server is killed meanwhile. A line is at least as private as
// its batch, and that as what was said of its file.
#pragma once

#include "gateway/gateway.h"
#include "jobs/queue.h"
#include "resources/promises.h"

namespace tandem::resources {

// Safe from any worker.
class Batches {
  public:
    static constexpr std::string_view kJob = "batch";  // the kind of a job, which has its batch's id

    // All outlive it, and the runner's work ends first.
    Batches(gateway::Gateway& gateway, jobs::Runner& runner, jobs::Queue& queue);

    // Call::parts has the id of a batch. Errors: invalid, not_found, storage.
    net::Task<Result<std::string>> create(const gateway::Call& call);
    net::Task<Result<std::string>> list(const gateway::Call& call);
    net::Task<Result<std::string>> read(const gateway::Call& call);
    net::Task<Result<std::string>> cancel(const gateway::Call& call);
    // A job of kJob.
    net::Task<jobs::Queue::Outcome> run(jobs::Queue::Context& context);

  private:
    gateway::Gateway& gateway_;
    jobs::Runner& runner_;
    jobs::Queue& queue_;
    Promises promises_;  // bytes of answers that become files of a key
};

}  // namespace tandem::resources
