// OpenAI Responses beyond one request: what is stored, goes on from before, or runs in the background; and
// conversations. What one principal has left here, no other one finds.
#pragma once

#include "gateway/gateway.h"

namespace tandem::gateway {

// POST /v1/responses; `counts`: /v1/responses/input_tokens.
net::Task<> answer_response(Gateway& gateway, Call call, bool counts);

// Below, Call::parts has the id of a response or conversation first, then that of an item. Errors: not_found, invalid,
// storage.
net::Task<> read_response(Gateway& gateway, Call call);  // or its events again, with ?stream=true
net::Task<Result<std::string>> cancel_response(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> delete_response(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> list_response_items(Gateway& gateway, const Call& call);

// What goes into a conversation has the label of its key, of its header and of what detectors find, and raises the
// conversation's.
net::Task<Result<std::string>> create_conversation(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> read_conversation(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> update_conversation(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> delete_conversation(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> add_conversation_items(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> list_conversation_items(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> read_conversation_item(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> delete_conversation_item(Gateway& gateway, const Call& call);

}  // namespace tandem::gateway
