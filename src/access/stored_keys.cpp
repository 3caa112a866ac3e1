#include "access/stored_keys.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "base/text.h"
#include "store/row.h"

namespace tandem::access {

const char* const kKeysSchema =
    "CREATE TABLE keys (name TEXT PRIMARY KEY, digest TEXT NOT NULL, old_digest TEXT NOT NULL, old_until INTEGER NOT "
    "NULL, settings TEXT NOT NULL, created INTEGER NOT NULL, revoked INTEGER NOT NULL) STRICT;";

namespace {

Digest digest_from(std::string_view text) {
    Digest digest{};
    // What is none matches no secret.
    if (!from_hex(text, digest)) digest = {};
    return digest;
}

}  // namespace

Secret new_secret() {
    std::array<unsigned char, 32> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("the system gives no random numbers");
    return Secret("tandem-" + hex(bytes));
}

namespace {

store::Column<StoredKey> digest(std::string name, Digest StoredKey::* member) {
    return store::text<StoredKey>(
        std::move(name), [member](const StoredKey& key) { return hex(key.*member); },
        [member](StoredKey& key, const std::string& text) { key.*member = digest_from(text); });
}

const store::Table<StoredKey>& keys() {
    using store::column;
    using K = StoredKey;
    static const store::Table<K> table(
        "keys", {column("name", &K::name), digest("digest", &K::digest), digest("old_digest", &K::old_digest),
                 column("old_until", &K::old_until), column("settings", &K::settings), column("created", &K::created),
                 column("revoked", &K::revoked)});
    return table;
}

}  // namespace

Result<std::vector<StoredKey>> stored_keys(store::Database& database) {
    static const auto kOldestFirst = keys().select("ORDER BY created, name");
    auto rows = database.prepare(kOldestFirst.c_str());
    return keys().all(rows);
}

Result<> insert(store::Database& database, const StoredKey& key) {
    auto count = database.prepare("SELECT count(*), COALESCE(sum(name = ?1), 0) FROM keys");
    count.bind(1, key.name);
    if (const auto row = count.step(); !row) return fail(row.error());
    if (count.integer(1) > 0)
        return fail(
            Fault::already_exists,
            fmt::format("there is a key '{}' already, or was: choose another name, or give it a new secret with "
                        "`tandem keys rotate {}`",
                        printable(key.name, 60), printable(key.name, 60)),
            "name");
    if (count.integer(0) >= static_cast<std::int64_t>(kMostStoredKeys))
        return fail(Fault::too_many_keys,
                    fmt::format("there are {} keys already, revoked ones counted; that is the most", kMostStoredKeys));
    return keys().insert(database, key);
}

Result<> update(store::Database& database, const StoredKey& key) {
    static const auto kUpdate = keys().update({"name"});
    return keys().run(database, kUpdate, key);
}

std::vector<std::string> add_to(config::Config& config, const std::vector<StoredKey>& keys) {
    std::vector<std::string> left_out;
    std::erase_if(config.keys, [](const config::Key& key) { return key.stored; });
    config.keys_are_stored = !keys.empty();
    for (const auto& stored : keys) {
        if (stored.revoked > 0) continue;
        if (std::ranges::find(config.keys, stored.name, &config::Key::id) != config.keys.end()) {
            left_out.push_back(
                fmt::format("the stored key '{}' is left out: tandem.yaml has one of that name", stored.name));
            continue;
        }
        auto key = config::parse_key(stored.name, stored.settings, config);
        if (!key) {
            left_out.push_back(fmt::format("the stored key '{}' is left out: {}", stored.name, key.error().message));
            continue;
        }
        key->digest = stored.digest;
        key->old_digest = stored.old_digest;
        key->old_until = stored.old_until;
        config.keys.push_back(std::move(*key));
    }
    return left_out;
}

}  // namespace tandem::access
