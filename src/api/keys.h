// /tandem/v1/keys: keys that the owner makes, changes and revokes while the server runs. Private to api/.
#pragma once

#include <functional>
#include <string>

#include "gateway/gateway.h"

namespace tandem::api {

// Takes over the keys of the store, so that the next request goes by them. Errors: storage.
using TakeKeys = std::function<Result<>()>;

// Every key, of the file and of the store, without its secret.
net::Task<Result<std::string>> list_keys(gateway::Services& services);
// {"name": "alice", "settings": {...}}: the members of `keys.NAME` but `secret`. The answer alone has the secret.
// Errors: invalid, storage.
net::Task<Result<std::string>> create_key(gateway::Services& services, const TakeKeys& take, std::string_view body);
// {"overlap_seconds": n, "expires": "2027-01-31"}, both may be missing: a new secret; the old one counts for so long.
// Errors: invalid, not_found, storage.
net::Task<Result<std::string>> rotate_key(gateway::Services& services, const TakeKeys& take, std::string name,
                                          std::string_view body);
// Errors: not_found, storage.
net::Task<Result<std::string>> revoke_key(gateway::Services& services, const TakeKeys& take, std::string name);

}  // namespace tandem::api
