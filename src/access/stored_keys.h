// Keys that the owner makes while the server runs: rows of the store, beside those of the config's file.
//
// A secret is shown once, when it is made; the store has its SHA-256. It has 256 bits of the system's random numbers,
// so nothing slower than a hash is needed. A revoked key stays as a row, so that no later key takes over its name and
// with it what the ledger and the label memory know of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/secret.h"
#include "config/config.h"
#include "store/store.h"

namespace tandem::access {

extern const char* const kKeysSchema;

inline constexpr std::size_t kMostStoredKeys = 10'000;
inline constexpr std::size_t kLongestSettings = 16 * 1024;

struct StoredKey {
    std::string name;
    Digest digest{};
    Digest old_digest{};         // of the secret before it
    std::int64_t old_until = 0;  // until when that counts; milliseconds of Unix time, as all times here
    std::string settings;        // JSON: the members of `keys.NAME` but `secret`
    std::int64_t created = 0;
    std::int64_t revoked = 0;  // 0: it is not
};

// "tandem-" and 64 hexadecimal digits.
Secret new_secret();

// Inside a transaction. Errors: storage; of insert: invalid (the name is taken), limit.
Result<std::vector<StoredKey>> stored_keys(store::Database& database);
Result<> insert(store::Database& database, const StoredKey& key);
Result<> update(store::Database& database, const StoredKey& key);

// Puts the stored keys that are not revoked behind those of the file. One whose settings do not fit the config any more
// (its team is gone) or whose name the file has as well is left out, so that it opens nothing: the reasons come back, a
// line each.
std::vector<std::string> add_to(config::Config& config, const std::vector<StoredKey>& keys);

}  // namespace tandem::access
