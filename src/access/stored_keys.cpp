#include "access/stored_keys.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

#include "base/text.h"

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

Result<std::vector<StoredKey>> stored_keys(store::Database& database) {
    std::vector<StoredKey> keys;
    auto rows = database.prepare(
        "SELECT name, digest, old_digest, old_until, settings, created, revoked FROM keys ORDER BY created, name");
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return keys;
        keys.push_back({.name = rows.text(0),
                        .digest = digest_from(rows.text(1)),
                        .old_digest = digest_from(rows.text(2)),
                        .old_until = rows.integer(3),
                        .settings = rows.text(4),
                        .created = rows.integer(5),
                        .revoked = rows.integer(6)});
    }
}

Result<> insert(store::Database& database, const StoredKey& key) {
    auto count = database.prepare("SELECT count(*), COALESCE(sum(name = ?1), 0) FROM keys");
    count.bind(1, key.name);
    if (const auto row = count.step(); !row) return fail(row.error());
    if (count.integer(1) > 0)
        return fail(
            ErrorCode::invalid,
            fmt::format("there is a key '{}' already, or was: choose another name, or give it a new secret with "
                        "`tandem keys rotate {}`",
                        printable(key.name, 60), printable(key.name, 60)),
            "name");
    if (count.integer(0) >= static_cast<std::int64_t>(kMostStoredKeys))
        return fail(ErrorCode::invalid,
                    fmt::format("there are {} keys already, revoked ones counted; that is the most", kMostStoredKeys));
    return database
        .prepare(
            "INSERT INTO keys (name, digest, old_digest, old_until, settings, created, revoked) VALUES "
            "(?1,?2,?3,?4,?5,?6,?7)")
        .bind(1, key.name)
        .bind(2, hex(key.digest))
        .bind(3, hex(key.old_digest))
        .bind(4, key.old_until)
        .bind(5, key.settings)
        .bind(6, key.created)
        .bind(7, key.revoked)
        .run();
}

Result<> update(store::Database& database, const StoredKey& key) {
    return database
        .prepare(
            "UPDATE keys SET digest = ?2, old_digest = ?3, old_until = ?4, settings = ?5, revoked = ?6 WHERE name = "
            "?1")
        .bind(1, key.name)
        .bind(2, hex(key.digest))
        .bind(3, hex(key.old_digest))
        .bind(4, key.old_until)
        .bind(5, key.settings)
        .bind(6, key.revoked)
        .run();
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
