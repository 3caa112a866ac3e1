// Batches in OpenAI's shape: JSONL in, JSONL out. Each line goes the way of every request, with its own label, decision
// and budget, and is answered exactly once, also when the server is killed meanwhile. A line is at least as private as
// its batch, and that as what was said of its file.
#pragma once

#include "gateway/gateway.h"
#include "jobs/runner.h"
#include "resources/batch_turns.h"

namespace tandem::resources {

// Safe from any worker.
class Batches {
  public:
    // Both outlive it, and the runner's work ends first.
    Batches(gateway::Gateway& gateway, jobs::Runner& runner) : gateway_(gateway), runner_(runner) {}

    // Call::parts has the id of a batch. Errors: invalid, not_found, storage.
    net::Task<Result<std::string>> create(const gateway::Call& call);
    net::Task<Result<std::string>> list(const gateway::Call& call);
    net::Task<Result<std::string>> read(const gateway::Call& call);
    net::Task<Result<std::string>> cancel(const gateway::Call& call);

    // Goes on with the batches that have work left. Called once, before requests are taken. Errors: storage.
    Result<> resume(const std::vector<net::Worker*>& workers);

  private:
    gateway::Gateway& gateway_;
    jobs::Runner& runner_;
    BatchTurns turns_;
};

}  // namespace tandem::resources
