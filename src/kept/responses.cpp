#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "kept/kept.h"
#include "kept/rows.h"

namespace tandem::kept {

namespace {

constexpr std::size_t kLongestChain = 1000;

std::unexpected<Error> none(std::string_view what, const std::string& id) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no {} '{}'; it was deleted, was never stored, or belongs to another key", what,
                            printable(id, 80)));
}

}  // namespace

const char* const kKeptSchema2 =
    "ALTER TABLE kept_files ADD COLUMN said INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE kept_batches ADD COLUMN label INTEGER NOT NULL DEFAULT 0;";

const char* const kKeptSchema =
    "CREATE TABLE kept_responses (id TEXT PRIMARY KEY, key TEXT NOT NULL, label INTEGER NOT NULL, created INTEGER NOT "
    "NULL, previous TEXT NOT NULL, conversation TEXT NOT NULL, input TEXT NOT NULL, response TEXT NOT NULL, events "
    "TEXT "
    "NOT NULL) STRICT;"
    "CREATE TABLE kept_conversations (id TEXT PRIMARY KEY, key TEXT NOT NULL, label INTEGER NOT NULL, created INTEGER "
    "NOT "
    "NULL, metadata TEXT NOT NULL) STRICT;"
    "CREATE TABLE kept_items (conversation TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, item TEXT NOT "
    "NULL, "
    "PRIMARY KEY (conversation, number)) STRICT;"
    "CREATE TABLE kept_files (id TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, purpose TEXT NOT NULL, bytes "
    "INTEGER NOT NULL, created INTEGER NOT NULL, label INTEGER NOT NULL) STRICT;"
    "CREATE TABLE kept_batches (id TEXT PRIMARY KEY, key TEXT NOT NULL, endpoint TEXT NOT NULL, input_file TEXT NOT "
    "NULL, "
    "window TEXT NOT NULL, metadata TEXT NOT NULL, status TEXT NOT NULL, errors TEXT NOT NULL, output_file TEXT NOT "
    "NULL, "
    "error_file TEXT NOT NULL, created INTEGER NOT NULL, finished INTEGER NOT NULL, total INTEGER NOT NULL) STRICT;"
    "CREATE TABLE kept_batch_lines (batch TEXT NOT NULL, number INTEGER NOT NULL, custom_id TEXT NOT NULL, status "
    "INTEGER "
    "NOT NULL, decision TEXT NOT NULL, body TEXT NOT NULL, label INTEGER NOT NULL, PRIMARY KEY (batch, number)) "
    "STRICT;";

Result<> put(store::Database& database, const StoredResponse& r) {
    return database.prepare("INSERT OR REPLACE INTO kept_responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(1, r.id)
        .bind(2, r.key)
        .bind(3, static_cast<std::int64_t>(r.label))
        .bind(4, r.created)
        .bind(5, r.previous)
        .bind(6, r.conversation)
        .bind(7, r.input)
        .bind(8, r.response)
        .bind(9, r.events)
        .run();
}

Result<StoredResponse> find_response(store::Database& database, const std::string& key, const std::string& id) {
    auto row = database.prepare(
        "SELECT id, key, label, created, previous, conversation, input, response, events FROM kept_responses WHERE id "
        "= ? "
        "AND key = ?");
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("response", id);
    return StoredResponse{row.text(0), row.text(1), label_in(row, 2), row.integer(3), row.text(4),
                          row.text(5), row.text(6), row.text(7),      row.text(8)};
}

Result<> remove_response(store::Database& database, const std::string& key, const std::string& id) {
    if (auto found = find_response(database, key, id); !found) return fail(found.error());
    return database.prepare("DELETE FROM kept_responses WHERE id = ? AND key = ?").bind(1, id).bind(2, key).run();
}

Result<History> history_of(store::Database& database, const std::string& key, const std::string& id) {
    std::vector<StoredResponse> chain;
    for (std::string next = id; !next.empty();) {
        if (chain.size() == kLongestChain)
            return fail(
                ErrorCode::invalid,
                fmt::format("previous_response_id: the conversation has more than {} responses; start a new one "
                            "with a summary",
                            kLongestChain),
                "previous_response_id");
        auto found = find_response(database, key, next);
        if (!found) return fail(found.error());
        next = found->previous;
        chain.push_back(std::move(*found));
    }
    History history;
    json::Document document;
    for (auto response = chain.rbegin(); response != chain.rend(); ++response) {
        history.label = higher(history.label, response->label);
        if (document.parse(response->input))
            for (const json::Value item : document.root().children()) history.items.emplace_back(item.raw());
        if (document.parse(response->response))
            for (const json::Value item : document.root()["output"].children()) history.items.emplace_back(item.raw());
    }
    return history;
}

Result<> lower_label(store::Database& database, const std::string& id, Label to) {
    if (id.starts_with("conv_"))
        return database.prepare("UPDATE kept_conversations SET label = MIN(label, ?) WHERE id = ?")
            .bind(1, static_cast<std::int64_t>(to))
            .bind(2, id)
            .run();
    std::string at = id;
    for (std::size_t i = 0; i < kLongestChain && !at.empty(); ++i) {
        std::string conversation;
        {
            auto row = database.prepare("SELECT previous, conversation FROM kept_responses WHERE id = ?");
            row.bind(1, at);
            const auto found = row.step();
            if (!found) return fail(found.error());
            if (!*found) return {};
            conversation = row.text(1);
            auto lowered = database.prepare("UPDATE kept_responses SET label = MIN(label, ?) WHERE id = ?")
                               .bind(1, static_cast<std::int64_t>(to))
                               .bind(2, at)
                               .run();
            if (!lowered) return lowered;
            at = row.text(0);
        }
        if (conversation.empty()) continue;
        auto lowered = database.prepare("UPDATE kept_conversations SET label = MIN(label, ?) WHERE id = ?")
                           .bind(1, static_cast<std::int64_t>(to))
                           .bind(2, conversation)
                           .run();
        if (!lowered) return lowered;
    }
    return {};
}

Result<> fail_interrupted(store::Database& database) {
    return database
        .prepare(
            "UPDATE kept_responses SET response = json_set(response, '$.status', 'failed', '$.error', "
            "json('{\"code\":\"server_error\",\"message\":\"the server was stopped while it answered; send the request "
            "again\"}')) WHERE json_extract(response, '$.status') IN ('queued', 'in_progress')")
        .run();
}

// ---- conversations ----

Result<> put(store::Database& database, const Conversation& c) {
    return database.prepare("INSERT OR REPLACE INTO kept_conversations VALUES (?, ?, ?, ?, ?)")
        .bind(1, c.id)
        .bind(2, c.key)
        .bind(3, static_cast<std::int64_t>(c.label))
        .bind(4, c.created)
        .bind(5, c.metadata)
        .run();
}

Result<Conversation> find_conversation(store::Database& database, const std::string& key, const std::string& id) {
    auto row =
        database.prepare("SELECT id, key, label, created, metadata FROM kept_conversations WHERE id = ? AND key = ?");
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("conversation", id);
    return Conversation{row.text(0), row.text(1), label_in(row, 2), row.integer(3), row.text(4)};
}

Result<> remove_conversation(store::Database& database, const std::string& key, const std::string& id) {
    if (auto found = find_conversation(database, key, id); !found) return fail(found.error());
    if (auto ok = database.prepare("DELETE FROM kept_items WHERE conversation = ?").bind(1, id).run(); !ok) return ok;
    return database.prepare("DELETE FROM kept_conversations WHERE id = ?").bind(1, id).run();
}

Result<> add_items(store::Database& database, const std::string& conversation, const std::vector<std::string>& items,
                   Label label) {
    std::int64_t number = 0;
    {
        auto row = database.prepare("SELECT COALESCE(MAX(number) + 1, 0) FROM kept_items WHERE conversation = ?");
        row.bind(1, conversation);
        const auto found = row.step();
        if (!found) return fail(found.error());
        number = row.integer(0);
    }
    json::Document document;
    for (const auto& item : items) {
        if (auto ok = document.parse(item); !ok) return ok;
        const std::string id(document.root()["id"].text());
        if (auto ok = database.prepare("INSERT INTO kept_items VALUES (?, ?, ?, ?)")
                          .bind(1, conversation)
                          .bind(2, number++)
                          .bind(3, id)
                          .bind(4, item)
                          .run();
            !ok)
            return ok;
    }
    return database.prepare("UPDATE kept_conversations SET label = MAX(label, ?) WHERE id = ?")
        .bind(1, static_cast<std::int64_t>(label))
        .bind(2, conversation)
        .run();
}

Result<std::vector<std::string>> items_of(store::Database& database, const std::string& conversation) {
    auto rows = database.prepare("SELECT item FROM kept_items WHERE conversation = ? ORDER BY number");
    rows.bind(1, conversation);
    std::vector<std::string> items;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return items;
        items.push_back(rows.text(0));
    }
}

Result<> remove_item(store::Database& database, const std::string& conversation, const std::string& item) {
    {
        auto row = database.prepare("SELECT 1 FROM kept_items WHERE conversation = ? AND id = ?");
        row.bind(1, conversation).bind(2, item);
        const auto found = row.step();
        if (!found) return fail(found.error());
        if (!*found) return none("item", item);
    }
    return database.prepare("DELETE FROM kept_items WHERE conversation = ? AND id = ?")
        .bind(1, conversation)
        .bind(2, item)
        .run();
}

}  // namespace tandem::kept
