#include "access/authenticate.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>

#include "base/calendar.h"
#include "base/hash.h"
#include "base/text.h"

namespace tandem::access {

namespace {

std::vector<std::string_view> presented_keys(const net::Fields& headers, std::string_view from_query) {
    std::vector<std::string_view> keys;
    constexpr std::string_view kBearer = "bearer ";
    const auto authorization = headers.get("authorization");
    if (authorization.size() > kBearer.size() && equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer))
        keys.push_back(trim(authorization.substr(kBearer.size())));
    for (const auto* name : {"x-api-key", "api-key", "x-goog-api-key"})
        if (const auto key = trim(headers.get(name)); !key.empty()) keys.push_back(key);
    if (!from_query.empty()) keys.push_back(from_query);
    std::erase(keys, std::string_view());
    return keys;
}

bool same(const Digest& a, const Digest& b) {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// The client of a key; all keys are compared, so that time does not tell which.
const config::Key* client_of(const config::Config& config, std::string_view presented, std::int64_t now) {
    const config::Key* found = nullptr;
    const auto digest = sha256(presented);
    for (const auto& key : config.keys) {
        if (same(key.digest, digest)) found = &key;
        if (same(key.old_digest, digest) && key.old_until > now) found = &key;
    }
    return found;
}

std::string expired(const config::Key& key) {
    const auto remedy =
        key.stored ? fmt::format("ask the owner for a new one (tandem keys rotate {} --expires 90d)", key.id)
                   : fmt::format("the owner has to set another date as keys.{}.expires in tandem.yaml", key.id);
    return fmt::format("the key '{}' expired on {}; {}", key.id, minute_text(key.expires), remedy);
}

Result<Principal> identify(const config::Config& config, const Secret& admin_token, const net::Fields& headers,
                           std::int64_t now, bool local, std::string_view from_query) {
    const auto presented = presented_keys(headers, from_query);
    std::optional<Principal> found;
    std::string over;
    for (const auto key : presented) {
        std::optional<Principal> one;
        if (!admin_token.empty() && admin_token.equals(key))
            one = Principal::admin();
        else if (const auto* client = client_of(config, key, now); client != nullptr) {
            if (client->expires > 0 && client->expires <= now)
                over = expired(*client);
            else
                one = Principal::client(*client);
        }
        if (found && one && found->id() != one->id())
            return fail(Fault::two_keys,
                        "the request has two different API keys; send one of Authorization, x-api-key, api-key and "
                        "x-goog-api-key");
        if (one) found = std::move(one);
    }
    if (found) return std::move(*found);
    if (!over.empty()) return fail(Fault::expired_key, std::move(over));
    if (local && presented.empty()) return Principal::admin();
    if (!config.wants_keys()) return Principal::anonymous();
    return fail(presented.empty() ? Fault::missing_key : Fault::unknown_key,
                presented.empty()
                    ? "no API key; send it as 'Authorization: Bearer KEY'"
                    : "this API key is not known; `tandem keys list` and 'keys:' in tandem.yaml have those "
                      "that are");
}

}  // namespace

Result<Principal> authenticate(const config::Config& config, const Secret& admin_token, const net::Fields& headers,
                               std::int64_t now, bool local, std::string_view from_query) {
    auto who = identify(config, admin_token, headers, now, local, from_query);
    if (!who || !headers.has(kActAs)) return who;
    if (who->id() == trim(headers.get(kActAs))) return who;
    if (who->kind() != Principal::Kind::admin)
        return fail(Fault::admin_only,
                    fmt::format("{} is for the admin; send the key itself as 'Authorization: Bearer KEY'", kActAs));
    const auto name = trim(headers.get(kActAs));
    const auto key = std::ranges::find(config.keys, name, &config::Key::id);
    if (key != config.keys.end()) return Principal::client(*key);
    // Where there are keys, nobody else asks without one: what the owner asks is the owner's.
    if (name == Principal::anonymous().id()) return config.wants_keys() ? std::move(who) : Principal::anonymous();
    std::vector<std::string> names;
    for (const auto& one : config.keys) names.push_back(one.id);
    return fail(Fault::unknown_key_name,
                fmt::format("there is no key '{}'{}", printable(name, 60), suggest(name, names)), std::string(kActAs));
}

std::optional<Principal> principal_of(const config::Config& config, std::string_view id) {
    auto admin = Principal::admin();
    if (id == admin.id()) return admin;
    if (auto anonymous = Principal::anonymous(); id == anonymous.id())
        return config.wants_keys() ? std::nullopt : std::optional(std::move(anonymous));
    for (const auto& key : config.keys)
        if (client_id(key.id) == id) return Principal::client(key);
    return std::nullopt;
}

}  // namespace tandem::access
