#include "api/keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "access/stored_keys.h"
#include "api/explain.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time_text.h"
#include "store/query.h"

namespace tandem::api {

namespace {

using access::StoredKey;
using Body = Result<std::string>;

std::int64_t now_ms(const gateway::Services& services) {
    return unix_ms(services.clock.wall());
}

Error no_such(const config::Config& config, std::string_view name) {
    if (std::ranges::find(config.keys, name, &config::Key::id) != config.keys.end())
        return {Fault::set_in_config,
                fmt::format("the key '{}' stands in tandem.yaml: change it there", printable(name, 60)), "name"};
    std::vector<std::string> names;
    for (const auto& key : config.keys)
        if (key.stored) names.push_back(key.id);
    return {Fault::unknown_key_name,
            fmt::format("there is no stored key '{}'{}", printable(name, 60), suggest(name, names)), "name"};
}

// Changes one stored key in a commit, and takes the keys over.
net::Task<Result<StoredKey>> change_key(gateway::Services& services, const TakeKeys& take, std::string name,
                                        std::function<Result<>(StoredKey&)> change) {
    const auto snapshot = services.snapshot();
    auto changed = co_await store::query<StoredKey>(
        services.store, [name, snapshot, change](store::Database& database) -> Result<StoredKey> {
            auto keys = access::stored_keys(database);
            if (!keys) return fail(keys.error());
            const auto found = std::ranges::find(*keys, name, &StoredKey::name);
            if (found == keys->end()) return fail(no_such(*snapshot->config, name));
            if (auto ok = change(*found); !ok) return fail(ok.error());
            if (auto ok = access::update(database, *found); !ok) return fail(ok.error());
            return *found;
        });
    if (!changed) co_return changed;
    if (auto taken = co_await net::run_on<Result<>>(services.pool, take); !taken) co_return fail(taken.error());
    co_return changed;
}

// What the settings of a key say to whoever reads them, and no secret.
void write_key(json::Writer& out, const config::Key& key) {
    out.begin_object().member("name", key.id).member("from", key.stored ? "store" : "tandem.yaml");
    if (!key.team.empty()) out.member("team", key.team);
    if (!key.owner.empty()) out.member("owner", key.owner);
    out.member("label", name_of(key.label));
    if (key.most) out.member("most", name_of(*key.most));
    if (key.admin) out.member("admin", true);
    if (key.metrics_only) out.member("metrics", true);
    const auto list = [&](std::string_view name, const std::vector<std::string>& values) {
        if (values.empty()) return;
        out.key(name).begin_array();
        for (const auto& value : values) out.value(value);
        out.end_array();
    };
    list("aliases", key.aliases);
    list("dialects", key.dialects);
    if (key.expires > 0) out.member("expires", time_text(key.expires));
    if (key.old_until > 0) out.member("old_secret_until", time_text(key.old_until));
    if (!key.budgets.empty()) {
        out.key("budgets").begin_array();
        for (const auto& budget : key.budgets) {
            out.begin_object().member("window", config::text_of(budget.window));
            if (budget.limit)
                out.member("limit", budget.limit->text());
            else
                out.member("tokens", budget.tokens);
            out.end_object();
        }
        out.end_array();
    }
    out.end_object();
}

// What a body says that nobody reads is a mistake of its sender's. Errors: invalid.
Result<> only(const json::Value& root, std::initializer_list<std::string_view> known, std::string_view hint) {
    if (!root.is(json::Kind::object)) return fail(Fault::invalid_json, "the body is no JSON object");
    for (const json::Value member : root.children())
        if (std::ranges::find(known, member.key()) == known.end())
            return fail(Fault::unknown_field,
                        fmt::format("{}: there is no such member; {}", printable(member.key(), 60), hint),
                        std::string(member.key().substr(0, 60)));
    return {};
}

void log_change(std::string_view what, const std::string& name) {
    log::Line(log::Level::info, what).add("key", name);
}

std::string with_secret(const std::string& name, const Secret& secret) {
    json::Writer out;
    out.begin_object().member("name", name).member("secret", secret.reveal());
    out.member("note", "this is the only time that the secret is shown").end_object();
    return out.take();
}

}  // namespace

net::Task<Body> list_keys(gateway::Services& services) {
    const auto snapshot = services.snapshot();
    const auto stored = co_await store::query<std::vector<StoredKey>>(
        services.store, [](store::Database& database) { return access::stored_keys(database); });
    if (!stored) co_return fail(stored.error());
    json::Writer out;
    out.begin_object().key("keys").begin_array();
    for (const auto& key : snapshot->config->keys) write_key(out, key);
    for (const auto& key : *stored) {
        if (key.revoked > 0) {
            out.begin_object()
                .member("name", key.name)
                .member("from", "store")
                .member("revoked", time_text(key.revoked));
            out.end_object();
        } else if (std::ranges::find(snapshot->config->keys, key.name, &config::Key::id) ==
                   snapshot->config->keys.end()) {
            out.begin_object().member("name", key.name).member("from", "store");
            out.member("left_out", "its settings do not fit tandem.yaml any more; the log says why").end_object();
        }
    }
    out.end_array().end_object();
    co_return out.take();
}

net::Task<Body> create_key(gateway::Services& services, const TakeKeys& take, std::string_view body) {
    json::Document document;
    if (auto ok = document.parse(body); !ok) co_return fail(ok.error());
    if (auto ok = only(document.root(), {"name", "settings"},
                       "what the key may do stands in 'settings', as the members of keys.NAME in tandem.yaml");
        !ok)
        co_return fail(ok.error());
    const auto name = std::string(document.root()["name"].text());
    const auto settings = document.root()["settings"];
    if (name.empty() || name.size() > 60)
        co_return fail(Fault::invalid_field, "name: expected the name of the new key, at most 60 characters", "name");
    if (settings.exists() && !settings.is(json::Kind::object))
        co_return fail(Fault::invalid_field, "settings: expected an object with the members of keys.NAME", "settings");
    StoredKey key{.name = name, .settings = settings.exists() ? std::string(settings.raw()) : "{}"};
    if (key.settings.size() > access::kLongestSettings)
        co_return fail(Fault::invalid_field, fmt::format("settings: longer than {} bytes", access::kLongestSettings),
                       "settings");
    const auto snapshot = services.snapshot();
    const auto& keys = snapshot->config->keys;
    if (std::ranges::find(keys, name, &config::Key::id) != keys.end())
        co_return fail(Fault::already_exists, fmt::format("there is a key '{}' already", printable(name, 60)), "name");
    const auto read = config::parse_key(name, key.settings, *snapshot->config);
    if (!read) co_return fail(read.error());
    if (read->expires > 0 && read->expires <= now_ms(services))
        co_return fail(Fault::invalid_field, "expires: is in the past; give a later time", "expires");
    const auto secret = access::new_secret();
    key.digest = sha256(secret.reveal());
    key.created = now_ms(services);
    if (auto ok = co_await store::change(services.store,
                                         [key](store::Database& database) { return access::insert(database, key); });
        !ok)
        co_return fail(ok.error());
    if (auto taken = co_await net::run_on<Result<>>(services.pool, take); !taken) co_return fail(taken.error());
    log_change("a key was made", name);
    co_return with_secret(name, secret);
}

net::Task<Body> rotate_key(gateway::Services& services, const TakeKeys& take, std::string name, std::string_view body) {
    constexpr std::int64_t kLongestOverlap = 30 * 86'400;  // seconds
    json::Document document;
    if (auto ok = document.parse(body.empty() ? "{}" : body); !ok) co_return fail(ok.error());
    const auto root = document.root();
    if (auto ok = only(root, {"overlap_seconds", "expires"}, "there are 'overlap_seconds' and 'expires'"); !ok)
        co_return fail(ok.error());
    const auto overlap =
        root["overlap_seconds"].exists() ? root["overlap_seconds"].integer() : std::optional(std::int64_t{0});
    if (!overlap || *overlap < 0 || *overlap > kLongestOverlap)
        co_return fail(Fault::invalid_field, fmt::format("overlap_seconds: expected 0 to {}", kLongestOverlap),
                       "overlap_seconds");
    const std::string expires(root["expires"].text());
    if (!expires.empty() && !time_from(expires))
        co_return fail(Fault::invalid_field, "expires: expected a time such as 2027-01-31", "expires");
    const auto now = now_ms(services);
    const auto secret = access::new_secret();
    const auto digest = sha256(secret.reveal());
    const auto changed = co_await change_key(services, take, name, [=](StoredKey& key) -> Result<> {
        if (key.revoked > 0)
            return fail(Fault::wrong_state, fmt::format("the key '{}' is revoked; make another one", key.name), "name");
        key.old_digest = *overlap > 0 ? key.digest : Digest{};
        key.old_until = *overlap > 0 ? now + *overlap * 1000 : 0;
        key.digest = digest;
        if (expires.empty()) return {};
        json::Document settings;
        if (auto ok = settings.parse(key.settings); !ok) return fail(ok.error());
        json::Writer out;
        out.begin_object();
        for (const json::Value member : settings.root().children())
            if (member.key() != "expires") out.raw_member(member.key(), member.raw());
        out.member("expires", expires).end_object();
        key.settings = out.take();
        return {};
    });
    if (!changed) co_return fail(changed.error());
    log_change("a key has a new secret", name);
    co_return with_secret(name, secret);
}

net::Task<Body> revoke_key(gateway::Services& services, const TakeKeys& take, std::string name) {
    const auto now = now_ms(services);
    const auto changed = co_await change_key(services, take, name, [now](StoredKey& key) -> Result<> {
        if (key.revoked == 0) key.revoked = now;
        key.digest = key.old_digest = {};
        key.old_until = 0;
        return {};
    });
    if (!changed) co_return fail(changed.error());
    log_change("a key was revoked", name);
    json::Writer out;
    out.begin_object().member("revoked", name).end_object();
    co_return out.take();
}

}  // namespace tandem::api
