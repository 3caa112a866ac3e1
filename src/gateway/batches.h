// Files and batches in OpenAI's shape: JSONL in, JSONL out. Each line goes the way of every request, with its own
// label, decision and budget, and is answered exactly once, also when the server is killed meanwhile. A line is at
// least as private as its batch, and that as what was said of its file.
#pragma once

#include "gateway/gateway.h"

namespace tandem::gateway {

// Call::parts has the id of a file or batch. Errors: invalid, not_found, storage.
net::Task<Result<std::string>> upload_file(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> list_files(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> read_file_object(Gateway& gateway, const Call& call);
net::Task<> read_file_content(Gateway& gateway, Call call);
net::Task<Result<std::string>> delete_file(Gateway& gateway, const Call& call);

net::Task<Result<std::string>> create_batch(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> list_batches(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> read_batch(Gateway& gateway, const Call& call);
net::Task<Result<std::string>> cancel_batch(Gateway& gateway, const Call& call);

// Goes on with the batches that have work left. Called once, before requests are taken.
Result<> resume_batches(Gateway& gateway, const std::vector<net::Worker*>& workers);

}  // namespace tandem::gateway
