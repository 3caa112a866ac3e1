// OpenAI Responses beyond one request: what is stored, goes on from before, or runs in the background; and
// conversations. Private to gateway/.
#pragma once

#include "gateway/gateway.h"

namespace tandem::gateway {

// POST /v1/responses and /v1/responses/input_tokens.
net::Task<> answer_response(Gateway& gateway, net::Exchange& exchange, std::shared_ptr<const Snapshot> snapshot,
                            const config::Key& key);

// /v1/responses/{id} and below, /v1/conversations and below. False where the path is neither, and nothing was answered.
net::Task<bool> serve_responses(Gateway& gateway, net::Exchange& exchange, const Snapshot& snapshot,
                                const config::Key& key);

}  // namespace tandem::gateway
