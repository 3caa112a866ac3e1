// OpenAI's conversations: items that responses go on from and are added to. What one principal has left here, no other
// one finds.
#pragma once

#include "gateway/gateway.h"

namespace tandem::resources {

// Call::parts has the id of a conversation first, then that of an item. Errors: not_found, invalid, storage.
//
// What goes into a conversation has the label of its key, of its header and of what detectors find, and raises the
// conversation's.
net::Task<Result<std::string>> create_conversation(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> read_conversation(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> update_conversation(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> delete_conversation(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> add_conversation_items(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> list_conversation_items(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> read_conversation_item(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> delete_conversation_item(gateway::Gateway& gateway, const gateway::Call& call);

}  // namespace tandem::resources
