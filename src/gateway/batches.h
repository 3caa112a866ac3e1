// Files and batches in OpenAI's shape: JSONL in, JSONL out. Each line goes the way of every request, with its own
// label, decision and budget, and is answered exactly once, also when the server is killed meanwhile. Private to
// gateway/, but for resume_batches().
#pragma once

#include "gateway/gateway.h"

namespace tandem::gateway {

// /v1/files and /v1/batches and below. False where the path is neither, and nothing was answered.
net::Task<bool> serve_batches(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot,
                              const config::Key& key);

// Goes on with the batches that have work left. Called once, before requests are taken.
Result<> resume_batches(Gateway& gateway, const std::vector<net::Worker*>& workers);

}  // namespace tandem::gateway
