// The lists of models in the shape that each dialect's clients ask for. Private to gateway/.
#pragma once

#include "gateway/gateway.h"

namespace tandem::gateway {

// Answers /v1/models, /v1beta/models, /api/tags, /api/ps, /api/show and /api/version, and what is below them. False
// where the request is none of these, and nothing was answered.
net::Task<bool> list_models(Gateway& gateway, net::Exchange& exchange, const Snapshot& snapshot,
                            const config::Key& key);

}  // namespace tandem::gateway
