// /tandem/v1/search and /tandem/v1/index: the owner's files. Private to api/.
#pragma once

#include <functional>
#include <memory>

#include "gateway/gateway.h"
#include "retrieval/retrieval.h"

namespace tandem::api {

// The index of this server; null where there is none yet and `make` is false. Errors: storage.
using FindIndex = std::function<Result<std::shared_ptr<retrieval::Retrieval>>(bool make)>;

// GET: q, collection (several), limit, explain.
net::Task<Result<std::string>> search_files(const FindIndex& find, gateway::Services& services,
                                            const gateway::Call& call);
// Collections, and how far their index is.
Result<std::string> show_index(const FindIndex& find, const gateway::Call& call);
// {"name", "folder", "label", "owner", "keys", "globs"}; all but the first two may be missing.
net::Task<Result<std::string>> add_collection(const FindIndex& find, gateway::Services& services,
                                              const gateway::Call& call);
net::Task<Result<std::string>> remove_collection(const FindIndex& find, gateway::Services& services,
                                                 const gateway::Call& call);
net::Task<Result<std::string>> rebuild_collection(const FindIndex& find, gateway::Services& services,
                                                  const gateway::Call& call);
net::Task<Result<std::string>> list_failures(const FindIndex& find, gateway::Services& services,
                                             const gateway::Call& call);

}  // namespace tandem::api
