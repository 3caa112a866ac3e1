#include "resources/quota.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tandem::resources {

namespace {

constexpr std::int64_t kSecondsOfDay = 86'400;

struct Sum {
    std::int64_t count = 0;
    std::int64_t bytes = 0;
};

Result<Sum> sum(store::Database& database, const char* sql, const std::string& key) {
    auto row = database.prepare(sql);
    row.bind(1, key);
    if (const auto found = row.step(); !found) return fail(found.error());
    return Sum{row.integer(0), row.integer(1)};
}

Result<Sum> files_of(store::Database& database, const std::string& key) {
    return sum(database, "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM kept_files WHERE key = ?", key);
}

Result<Sum> responses_of(store::Database& database, const std::string& key) {
    return sum(database, "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM kept_responses WHERE key = ?", key);
}

struct Oldest {
    std::string id;  // empty where there is none that may go
    std::int64_t bytes = 0;
};

Result<Oldest> oldest(store::Database& database, const std::string& key, const std::string& newest,
                      std::int64_t before) {
    auto row = database.prepare(
        "SELECT id, bytes FROM kept_responses WHERE key = ? AND created < ? AND id <> ? AND "
        "COALESCE(json_extract(response, '$.status'), '') NOT IN ('queued', 'in_progress') ORDER BY created, id LIMIT "
        "1");
    row.bind(1, key).bind(2, before).bind(3, newest);
    const auto found = row.step();
    if (!found) return fail(found.error());
    return *found ? Oldest{row.text(0), row.integer(1)} : Oldest{};
}

}  // namespace

const char* const kQuotaSchema =
    "ALTER TABLE kept_responses ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE kept_responses ADD COLUMN history_bytes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE kept_responses SET history_bytes = LENGTH(CAST(input AS BLOB)) + LENGTH(CAST(response AS BLOB));"
    "UPDATE kept_responses SET bytes = history_bytes + LENGTH(CAST(events AS BLOB));"
    "CREATE INDEX kept_responses_by_key ON kept_responses (key, created, bytes);"
    "CREATE INDEX kept_responses_chain ON kept_responses (id, key, previous, history_bytes, label);"
    "CREATE INDEX kept_files_by_key ON kept_files (key, bytes);"
    "ALTER TABLE kept_items ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE kept_items SET bytes = LENGTH(CAST(item AS BLOB));"
    "CREATE INDEX kept_items_by_id ON kept_items (conversation, id, number);"
    "CREATE INDEX kept_items_bytes ON kept_items (conversation, number, bytes);"
    "ALTER TABLE kept_conversations ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE kept_conversations SET bytes = (SELECT COALESCE(SUM(bytes), 0) FROM kept_items WHERE conversation = "
    "kept_conversations.id);"
    "CREATE INDEX kept_conversations_by_key ON kept_conversations (key);"
    "CREATE INDEX kept_batches_by_key ON kept_batches (key, status);";

Result<Usage> usage_of(store::Database& database, const std::string& key) {
    const auto files = files_of(database, key);
    if (!files) return fail(files.error());
    const auto responses = responses_of(database, key);
    if (!responses) return fail(responses.error());
    const auto conversations = sum(database, "SELECT COUNT(*), 0 FROM kept_conversations WHERE key = ?", key);
    if (!conversations) return fail(conversations.error());
    return Usage{files->count, files->bytes, responses->count, responses->bytes, conversations->count};
}

namespace {

constexpr std::int64_t kFilesOfBatch = 2;  // its output, and its errors

Result<std::int64_t> open_batches(store::Database& database, const std::string& key) {
    const auto open = sum(database, "SELECT COUNT(*), 0 FROM kept_batches WHERE key = ? AND finished = 0", key);
    if (!open) return fail(open.error());
    return open->count;
}

// Whether so many more files fit, beside those that are there and those that batches under way may leave.
Result<> check_count(const Sum& files, std::int64_t open, std::int64_t more, const std::string& key,
                     const Quota& quota) {
    if (files.count + kFilesOfBatch * open + more <= quota.files) return {};
    return fail(
        Fault::quota_used_up,
        fmt::format("this key has {} files{}, and may have {}; delete some with DELETE /v1/files/ID, or raise "
                    "keys.{}.limits.files in tandem.yaml",
                    files.count, open == 0 ? "" : fmt::format(" and {} batches under way, which leave two each", open),
                    quota.files, key),
        "file");
}

Result<> check_bytes(const Sum& files, std::int64_t more, const std::string& key, const Quota& quota) {
    if (more <= quota.file_bytes - files.bytes) return {};
    return fail(Fault::quota_used_up,
                fmt::format("the files of this key have {} bytes, and {} more would be over its {}; delete some "
                            "with DELETE /v1/files/ID, or raise keys.{}.limits.file_bytes in tandem.yaml",
                            files.bytes, more, quota.file_bytes, key),
                "file");
}

}  // namespace

Result<> check_file(store::Database& database, const std::string& key, const Quota& quota, std::int64_t bytes) {
    const auto files = files_of(database, key);
    if (!files) return fail(files.error());
    const auto open = open_batches(database, key);
    if (!open) return fail(open.error());
    if (auto ok = check_count(*files, *open, 1, key, quota); !ok) return ok;
    return check_bytes(*files, bytes, key, quota);
}

Result<> check_file_bytes(store::Database& database, const std::string& key, const Quota& quota, std::int64_t bytes) {
    const auto files = files_of(database, key);
    if (!files) return fail(files.error());
    return check_bytes(*files, bytes, key, quota);
}

Result<> check_batch(store::Database& database, const std::string& key, const Quota& quota) {
    const auto open = open_batches(database, key);
    if (!open) return fail(open.error());
    if (*open >= kMostOpenBatches)
        return fail(Fault::too_many_under_way,
                    fmt::format("this key has {} batches that are not finished; wait for one, or cancel one", *open));
    const auto files = files_of(database, key);
    if (!files) return fail(files.error());
    return check_count(*files, *open, kFilesOfBatch, key, quota);
}

Result<> make_room_for_batches(store::Database& database, const std::string& key, const std::string& newest,
                               std::int64_t now) {
    const auto too_old = now - kKeptDays * kSecondsOfDay;
    auto has = sum(database, "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM kept_batches WHERE key = ?", key);
    if (!has) return fail(has.error());
    while (true) {
        const bool full = has->count > kMostBatches || has->bytes > kMostBatchBytes;
        Oldest first;
        {
            auto row = database.prepare(
                "SELECT id, bytes FROM kept_batches WHERE key = ? AND finished > 0 AND finished < ? AND id <> ? ORDER "
                "BY finished, id LIMIT 1");
            row.bind(1, key).bind(2, full ? INT64_MAX : too_old).bind(3, newest);
            const auto found = row.step();
            if (!found) return fail(found.error());
            if (!*found) return {};
            first = {row.text(0), row.integer(1)};
        }
        auto gone = database.prepare("DELETE FROM kept_batches WHERE id = ?").bind(1, first.id).run();
        if (!gone) return gone;
        --has->count;
        has->bytes -= first.bytes;
    }
}

Result<> check_conversation(store::Database& database, const std::string& key, const Quota& quota) {
    const auto count = sum(database, "SELECT COUNT(*), 0 FROM kept_conversations WHERE key = ?", key);
    if (!count) return fail(count.error());
    if (count->count < quota.conversations) return {};
    return fail(Fault::quota_used_up,
                fmt::format("this key has {} conversations, and may have {}; delete some with DELETE "
                            "/v1/conversations/ID, or raise keys.{}.limits.conversations in tandem.yaml",
                            count->count, quota.conversations, key));
}

Result<> check_items(store::Database& database, const std::string& conversation, const Quota& quota,
                     std::int64_t bytes) {
    auto row = database.prepare("SELECT bytes FROM kept_conversations WHERE id = ?");
    row.bind(1, conversation);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found)
        return fail(Fault::unknown_object,
                    fmt::format("there is no conversation '{}' any more", printable(conversation, 80)));
    const auto has = row.integer(0);
    if (bytes <= quota.conversation_bytes - has) return {};
    return fail(Fault::quota_used_up,
                fmt::format("the conversation has {} bytes, and may have {}; delete items, begin a new one with a "
                            "summary, or raise limits.conversation_bytes of the key in tandem.yaml",
                            has, quota.conversation_bytes),
                "items");
}

Result<> make_room_for_responses(store::Database& database, const std::string& key, const Quota& quota,
                                 const std::string& newest, std::int64_t now) {
    const auto too_old = now - kKeptDays * kSecondsOfDay;
    auto has = responses_of(database, key);
    if (!has) return fail(has.error());
    while (true) {
        const bool full = has->count > quota.responses || has->bytes > quota.response_bytes;
        const auto first = oldest(database, key, newest, full ? INT64_MAX : too_old);
        if (!first) return fail(first.error());
        if (first->id.empty()) return {};
        auto gone = database.prepare("DELETE FROM kept_responses WHERE id = ?").bind(1, first->id).run();
        if (!gone) return gone;
        --has->count;
        has->bytes -= first->bytes;
    }
}

}  // namespace tandem::resources
