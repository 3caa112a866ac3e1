// Files in OpenAI's shape: the bytes are a file in the data folder, what is known of them a row. What one principal has
// left here, no other one finds.
#pragma once

#include <filesystem>

#include "gateway/gateway.h"
#include "resources/stored.h"

namespace tandem::resources {

// Call::parts has the id of a file. Errors: invalid, not_found, storage.
net::Task<Result<std::string>> upload_file(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> list_files(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<Result<std::string>> read_file_object(gateway::Gateway& gateway, const gateway::Call& call);
net::Task<> read_file_content(gateway::Gateway& gateway, gateway::Call call);
net::Task<Result<std::string>> delete_file(gateway::Gateway& gateway, const gateway::Call& call);

// Files that were being written when the server was killed. At the start, before any is written. `data`: the folder.
void remove_unfinished(const std::filesystem::path& data);
// Where the bytes of a file are.
std::filesystem::path path_of(const gateway::Snapshot& snapshot, const std::string& id);
// Errors: not_found, for one that does not exist or is another key's; storage.
net::Task<Result<File>> file_of(gateway::Gateway& gateway, std::string key, std::string id);

}  // namespace tandem::resources
