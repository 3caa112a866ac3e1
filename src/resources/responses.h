// OpenAI Responses beyond one request: what is stored, goes on from before, or runs in the background. What one
// principal has left here, no other one finds.
#pragma once

#include "gateway/gateway.h"

namespace tandem::resources {

// POST /v1/responses; `counts`: /v1/responses/input_tokens.
net::Task<> answer_response(gateway::Gateway& gateway, gateway::Call call, bool counts);

// Below, Call::parts has the id of a response. Errors: not_found, invalid, storage.
net::Task<> read_response(gateway::Gateway& gateway, gateway::Call call);  // or its events again, with ?stream=true
net::Task<Result<std::string>> cancel_response(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> delete_response(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> list_response_items(gateway::Gateway& gateway, const gateway::Call& call);

}  // namespace tandem::resources
