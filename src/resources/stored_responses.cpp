#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "resources/rows.h"
#include "resources/stored.h"
#include "store/row.h"

namespace tandem::resources {

namespace {

constexpr std::size_t kLongestChain = 1000;

std::unexpected<Error> none(std::string_view what, const std::string& id) {
    return fail(Fault::unknown_object,
                fmt::format("there is no {} '{}'; it was deleted, was never stored, or belongs to another key", what,
                            printable(id, 80)));
}

std::unexpected<Error> too_long(std::int64_t bytes, std::int64_t most, std::string param) {
    return fail(Fault::history_too_long,
                fmt::format("the conversation has {} MiB or more, and a request may have {} MiB with all that it goes "
                            "on from; start a new one with a summary",
                            bytes >> 20, most >> 20),
                std::move(param));
}

}  // namespace

const char* const kKeptSchema2 =
    "ALTER TABLE kept_files ADD COLUMN said INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE kept_batches ADD COLUMN label INTEGER NOT NULL DEFAULT 0;";

const char* const kKeptSchema3 =
    "ALTER TABLE kept_responses ADD COLUMN decision TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE kept_batches ADD COLUMN completed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE kept_batches ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE kept_batches ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE kept_batches SET completed = (SELECT COUNT(*) FROM kept_batch_lines WHERE batch = id AND status = 200), "
    "failed = (SELECT COUNT(*) FROM kept_batch_lines WHERE batch = id AND status <> 200), "
    "bytes = LENGTH(CAST(errors AS BLOB)) + LENGTH(CAST(metadata AS BLOB));"
    "DELETE FROM kept_batch_lines WHERE batch IN (SELECT id FROM kept_batches WHERE finished > 0);";

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

namespace {

std::int64_t history_bytes_of(const StoredResponse& r) {
    return static_cast<std::int64_t>(r.input.size() + r.response.size());
}

const store::Table<StoredResponse>& responses() {
    using R = StoredResponse;
    static const store::Table<R> table(
        "kept_responses",
        {store::column("id", &R::id), store::column("key", &R::key), store::label("label", &R::label),
         store::column("created", &R::created), store::column("previous", &R::previous),
         store::column("conversation", &R::conversation), store::column("input", &R::input),
         store::column("response", &R::response), store::column("events", &R::events),
         store::column("decision", &R::decision),
         store::written<R>("bytes",
                           [](const R& r) { return history_bytes_of(r) + static_cast<std::int64_t>(r.events.size()); }),
         store::written<R>("history_bytes", history_bytes_of)});
    return table;
}

}  // namespace

Result<> put(store::Database& database, const StoredResponse& r) {
    return responses().replace(database, r);
}

Result<StoredResponse> find_response(store::Database& database, const std::string& key, const std::string& id) {
    static const auto kOne = responses().select("WHERE id = ? AND key = ?");
    auto row = database.prepare(kOne.c_str());
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("response", id);
    return responses().read(row);
}

Result<> remove_response(store::Database& database, const std::string& key, const std::string& id) {
    if (auto found = find_response(database, key, id); !found) return fail(found.error());
    return database.prepare("DELETE FROM kept_responses WHERE id = ? AND key = ?").bind(1, id).bind(2, key).run();
}

Result<ResponseSize> size_of_response(store::Database& database, const std::string& key, const std::string& id) {
    auto row = database.prepare("SELECT bytes, history_bytes FROM kept_responses WHERE id = ? AND key = ?");
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("response", id);
    return ResponseSize{row.integer(0), row.integer(1)};
}

namespace {

struct Chain {
    std::vector<std::string> ids;  // newest first
    std::int64_t bytes = 0;
    Label label = Label::public_;
};

// By the index alone: nothing of the responses is read.
Result<Chain> chain_of(store::Database& database, const std::string& key, const std::string& id, std::int64_t most) {
    Chain chain;
    for (std::string next = id; !next.empty();) {
        if (chain.ids.size() == kLongestChain)
            return fail(Fault::history_too_long,
                        fmt::format("the conversation has more than {} responses; start a new one with a summary",
                                    kLongestChain),
                        "previous_response_id");
        auto row = database.prepare(
            "SELECT previous, history_bytes, label FROM kept_responses INDEXED BY kept_responses_chain WHERE id = ? "
            "AND key = ?");
        row.bind(1, next).bind(2, key);
        const auto found = row.step();
        if (!found) return fail(found.error());
        if (!*found) return none("response", next);
        chain.bytes += row.integer(1);
        chain.label = higher(chain.label, label_in(row, 2));
        if (chain.bytes > most) return too_long(chain.bytes, most, "previous_response_id");
        chain.ids.push_back(std::move(next));
        next = row.text(0);
    }
    return chain;
}

}  // namespace

Result<std::int64_t> history_bytes(store::Database& database, const std::string& key, const std::string& id,
                                   std::int64_t most) {
    const auto chain = chain_of(database, key, id, most);
    if (!chain) return fail(chain.error());
    return chain->bytes;
}

Result<History> history_of(store::Database& database, const std::string& key, const std::string& id,
                           std::int64_t most) {
    const auto chain = chain_of(database, key, id, most);
    if (!chain) return fail(chain.error());
    History history{{}, chain->label};
    json::Document document;
    // One response at a time, so that none is held beside its items.
    for (auto one = chain->ids.rbegin(); one != chain->ids.rend(); ++one) {
        auto row = database.prepare("SELECT input, response FROM kept_responses WHERE id = ?");
        row.bind(1, *one);
        const auto found = row.step();
        if (!found) return fail(found.error());
        if (!*found) continue;
        if (document.take(row.text(0)))
            for (const json::Value item : document.root().children()) history.items.emplace_back(item.raw());
        if (document.take(row.text(1)))
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

namespace {

const store::Table<Conversation>& conversations() {
    using store::column;
    using C = Conversation;
    static const store::Table<C> table(
        "kept_conversations",
        {column("id", &C::id), column("key", &C::key), store::label("label", &C::label), column("created", &C::created),
         column("metadata", &C::metadata), store::only_read(column("bytes", &C::bytes))});
    return table;
}

// An item that is added. Its texts are its caller's.
struct NewItem {
    std::string_view conversation;
    std::int64_t number = 0;
    std::string_view id, item;
    std::int64_t bytes = 0;
};

const store::Table<NewItem>& new_items() {
    using store::column;
    using I = NewItem;
    static const store::Table<I> table(
        "kept_items", {column("conversation", &I::conversation), column("number", &I::number), column("id", &I::id),
                       column("item", &I::item), column("bytes", &I::bytes)});
    return table;
}

}  // namespace

Result<> put(store::Database& database, const Conversation& c) {
    static const auto kPut = conversations().into(
        "INSERT", "ON CONFLICT (id) DO UPDATE SET label = MAX(label, excluded.label), metadata = excluded.metadata");
    return conversations().run(database, kPut, c);
}

Result<Conversation> find_conversation(store::Database& database, const std::string& key, const std::string& id) {
    static const auto kOne = conversations().select("WHERE id = ? AND key = ?");
    auto row = database.prepare(kOne.c_str());
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("conversation", id);
    return conversations().read(row);
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
    std::int64_t bytes = 0;
    for (const auto& item : items) {
        if (auto ok = document.parse(item); !ok) return ok;
        const std::string id(document.root()["id"].text());
        const auto size = static_cast<std::int64_t>(item.size());
        bytes += size;
        if (auto ok = new_items().insert(database, {conversation, number++, id, item, size}); !ok) return ok;
    }
    return database.prepare("UPDATE kept_conversations SET label = MAX(label, ?), bytes = bytes + ? WHERE id = ?")
        .bind(1, static_cast<std::int64_t>(label))
        .bind(2, bytes)
        .bind(3, conversation)
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

namespace {

// The place of an item behind which a list goes on; nothing where the item is not there.
Result<std::optional<std::int64_t>> number_of(store::Database& database, const std::string& conversation,
                                              const std::string& item) {
    auto row = database.prepare("SELECT number FROM kept_items WHERE conversation = ? AND id = ?");
    row.bind(1, conversation).bind(2, item);
    const auto found = row.step();
    if (!found) return fail(found.error());
    return *found ? std::optional(row.integer(0)) : std::nullopt;
}

}  // namespace

Result<SomeItems> some_items_of(store::Database& database, const std::string& conversation, const ItemsAsked& asked) {
    auto behind = asked.ascending ? std::int64_t{-1} : INT64_MAX;
    if (!asked.after.empty()) {
        const auto number = number_of(database, conversation, asked.after);
        if (!number) return fail(number.error());
        if (*number) behind = **number;
    }
    auto rows = database.prepare(
        asked.ascending
            ? "SELECT item FROM kept_items WHERE conversation = ? AND number > ? ORDER BY number LIMIT ?"
            : "SELECT item FROM kept_items WHERE conversation = ? AND number < ? ORDER BY number DESC LIMIT ?");
    rows.bind(1, conversation).bind(2, behind).bind(3, static_cast<std::int64_t>(asked.limit) + 1);
    SomeItems some;
    std::size_t bytes = 0;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return some;
        auto item = rows.text(0);
        bytes += item.size();
        some.more = some.items.size() == asked.limit || (!some.items.empty() && bytes > asked.bytes);
        if (some.more) return some;
        some.items.push_back(std::move(item));
    }
}

Result<std::string> find_item(store::Database& database, const std::string& conversation, const std::string& item) {
    auto row = database.prepare("SELECT item FROM kept_items WHERE conversation = ? AND id = ?");
    row.bind(1, conversation).bind(2, item);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("item", item);
    return row.text(0);
}

Result<> remove_item(store::Database& database, const std::string& conversation, const std::string& item) {
    std::int64_t bytes = 0;
    {
        auto row = database.prepare("SELECT bytes FROM kept_items WHERE conversation = ? AND id = ?");
        row.bind(1, conversation).bind(2, item);
        const auto found = row.step();
        if (!found) return fail(found.error());
        if (!*found) return none("item", item);
        bytes = row.integer(0);
    }
    auto counted = database.prepare("UPDATE kept_conversations SET bytes = bytes - ? WHERE id = ?")
                       .bind(1, bytes)
                       .bind(2, conversation)
                       .run();
    if (!counted) return counted;
    return database.prepare("DELETE FROM kept_items WHERE conversation = ? AND id = ?")
        .bind(1, conversation)
        .bind(2, item)
        .run();
}

}  // namespace tandem::resources
