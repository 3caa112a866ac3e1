#include "privacy/vault.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace tandem::privacy {

namespace {

constexpr std::int64_t kPurgeEvery = 3'600'000;  // ms

std::string_view text_of(const Scope& scope) {
    return {reinterpret_cast<const char*>(scope.data()), scope.size()};
}

std::string to_json(const StandIn& entry) {
    json::Writer out;
    out.begin_object().member("type", entry.type).member("number", entry.number).member("text", entry.text);
    out.member("value", entry.value).end_object();
    return out.take();
}

}  // namespace

const char* const kVaultSchema =
    "CREATE TABLE vault (scope BLOB NOT NULL, sealed BLOB NOT NULL, expires INTEGER NOT NULL) STRICT;"
    "CREATE INDEX vault_expires ON vault (expires);";

void Vault::add(const Scope& scope, Sealed entry) {
    bytes_ += entry.size();
    entries_[scope].push_back(std::move(entry));
    order_.push_back(scope);
}

void Vault::drop_oldest() {
    const auto place = entries_.find(order_.front());
    order_.pop_front();
    bytes_ -= place->second.front().size();
    place->second.pop_front();
    if (place->second.empty()) entries_.erase(place);
}

std::size_t Vault::fit() {
    std::size_t gone = 0;
    for (; bytes_ > kMostBytes; ++gone) drop_oldest();
    return gone;
}

std::size_t Vault::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

Result<> Vault::load(store::Store& store) {
    const auto now = unix_ms(clock_.wall());
    return store.run([this, now](store::Database& database) -> Result<> {
        if (auto ok = database.prepare("DELETE FROM vault WHERE expires < ?").bind(1, now).run(); !ok) return ok;
        const std::lock_guard lock(mutex_);
        auto rows = database.prepare("SELECT scope, sealed, expires FROM vault ORDER BY rowid");
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) return {};
            const auto bytes = rows.text(0);
            Scope scope{};
            if (bytes.size() != scope.size()) continue;
            std::ranges::copy(bytes, scope.begin());
            add(scope, {rows.text(1), rows.integer(2)});
            fit();
        }
    });
}

Result<Scope> Vault::scope_of(std::string_view key_id, std::string_view conversation) const {
    if (!keys_) return fail(Fault::vault_locked, fmt::format("the vault is locked: {}", why_));
    return keys_->scope_of(fmt::format("{}\n{}", key_id, conversation));
}

Result<std::vector<StandIn>> Vault::entries(const Scope& scope) const {
    if (!keys_) return fail(Fault::vault_locked, fmt::format("the vault is locked: {}", why_));
    std::deque<Sealed> sealed;
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = entries_.find(scope); found != entries_.end()) sealed = found->second;
    }
    const auto now = unix_ms(clock_.wall());
    std::vector<StandIn> result;
    for (const auto& entry : sealed) {
        if (entry.expires < now) continue;
        const auto plain = keys_->unseal(entry.bytes, text_of(scope));
        json::Document document;
        if (!plain || !document.parse(*plain))
            return fail(Fault::vault_locked,
                        "the vault is locked: an entry of this conversation was sealed by "
                        "another key; put back privacy.key or privacy.vault.key");
        const auto root = document.root();
        result.push_back({std::string(root["type"].text()), root["number"].integer().value_or(0),
                          std::string(root["text"].text()), std::string(root["value"].text())});
    }
    return result;
}

store::Store::Job Vault::keep(const Scope& scope, const std::vector<StandIn>& fresh, milliseconds keeps) {
    if (fresh.empty() || !keys_) return {};
    const auto now = unix_ms(clock_.wall());
    const auto expires = now + keeps.count();
    std::vector<std::string> sealed;
    for (const auto& entry : fresh) sealed.push_back(keys_->seal(to_json(entry), text_of(scope)));
    bool purge = false;
    std::size_t gone = 0;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& bytes : sealed) add(scope, {bytes, expires});
        gone = fit();
        purge = now >= next_purge_;
        if (purge) {
            next_purge_ = now + kPurgeEvery;
            // All live equally long, so the oldest are the first to go.
            while (!order_.empty() && entries_.at(order_.front()).front().expires < now) drop_oldest();
        }
    }
    return [scope, sealed = std::move(sealed), expires, purge, gone, now](store::Database& database) -> Result<> {
        if (purge)
            if (auto ok = database.prepare("DELETE FROM vault WHERE expires < ?").bind(1, now).run(); !ok) return ok;
        for (const auto& bytes : sealed) {
            auto ok = database.prepare("INSERT INTO vault (scope, sealed, expires) VALUES (?, ?, ?)")
                          .bind_blob(1, text_of(scope))
                          .bind_blob(2, bytes)
                          .bind(3, expires)
                          .run();
            if (!ok) return ok;
        }
        if (gone == 0) return {};
        return database
            .prepare("DELETE FROM vault WHERE rowid IN (SELECT rowid FROM vault ORDER BY expires, rowid LIMIT ?)")
            .bind(1, static_cast<std::int64_t>(gone))
            .run();
    };
}

}  // namespace tandem::privacy
