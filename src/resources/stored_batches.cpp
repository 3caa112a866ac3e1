#include <fmt/format.h>

#include "base/text.h"
#include "resources/rows.h"
#include "resources/stored.h"

namespace tandem::resources {

namespace {

std::unexpected<Error> none(std::string_view what, const std::string& id) {
    return fail(ErrorCode::not_found,
                fmt::format("there is no {} '{}'; it was deleted, or belongs to another key", what, printable(id, 80)));
}

#define TANDEM_FILE_COLUMNS "id, key, name, purpose, bytes, created, label, said"
// How the lines of one that is not finished ended is counted; a finished one has no lines any more.
#define TANDEM_BATCH_COLUMNS                                                                                         \
    "id, key, endpoint, input_file, window, metadata, status, errors, output_file, error_file, created, finished, "  \
    "total, label, "                                                                                                 \
    "CASE WHEN finished > 0 THEN completed ELSE (SELECT COUNT(*) FROM kept_batch_lines WHERE batch = id AND status " \
    "= 200) END, "                                                                                                   \
    "CASE WHEN finished > 0 THEN failed ELSE (SELECT COUNT(*) FROM kept_batch_lines WHERE batch = id AND status <> " \
    "200) END"

File file_in(const store::Statement& row) {
    return {row.text(0),    row.text(1),    row.text(2),      row.text(3),
            row.integer(4), row.integer(5), label_in(row, 6), label_in(row, 7)};
}

Batch batch_in(const store::Statement& row) {
    return {row.text(0),     row.text(1),     row.text(2),     row.text(3),      row.text(4),     row.text(5),
            row.text(6),     row.text(7),     row.text(8),     row.text(9),      row.integer(10), row.integer(11),
            row.integer(12), row.integer(14), row.integer(15), label_in(row, 13)};
}

template <typename T, typename Read>
Result<std::vector<T>> all(store::Statement& rows, Read&& read) {
    std::vector<T> list;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return list;
        list.push_back(read(rows));
    }
}

}  // namespace

Result<> put(store::Database& database, const File& f) {
    return database
        .prepare("INSERT OR REPLACE INTO kept_files (" TANDEM_FILE_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(1, f.id)
        .bind(2, f.key)
        .bind(3, f.name)
        .bind(4, f.purpose)
        .bind(5, f.bytes)
        .bind(6, f.created)
        .bind(7, static_cast<std::int64_t>(f.label))
        .bind(8, static_cast<std::int64_t>(f.said))
        .run();
}

Result<File> find_file(store::Database& database, const std::string& key, const std::string& id) {
    auto row = database.prepare("SELECT " TANDEM_FILE_COLUMNS " FROM kept_files WHERE id = ? AND key = ?");
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("file", id);
    return file_in(row);
}

Result<> remove_file(store::Database& database, const std::string& key, const std::string& id) {
    if (auto found = find_file(database, key, id); !found) return fail(found.error());
    return database.prepare("DELETE FROM kept_files WHERE id = ? AND key = ?").bind(1, id).bind(2, key).run();
}

namespace {

// One more than is asked for says that there are more.
template <typename T>
Page<T> page_of(std::vector<T> list, std::size_t limit) {
    Page<T> page{std::move(list), false};
    page.more = page.entries.size() > limit;
    if (page.more) page.entries.resize(limit);
    return page;
}

}  // namespace

Result<Page<File>> files_of(store::Database& database, const std::string& key, const std::string& purpose,
                            const ListAsked& asked) {
    // Ids sort by time.
    auto rows = database.prepare(
        asked.ascending
            ? "SELECT " TANDEM_FILE_COLUMNS
              " FROM kept_files WHERE key = ?1 AND (?2 = '' OR purpose = ?2) AND id > ?3 ORDER BY id LIMIT ?4"
            : "SELECT " TANDEM_FILE_COLUMNS
              " FROM kept_files WHERE key = ?1 AND (?2 = '' OR purpose = ?2) AND (?3 = '' "
              "OR id < ?3) ORDER BY id DESC LIMIT ?4");
    rows.bind(1, key).bind(2, purpose).bind(3, asked.after).bind(4, static_cast<std::int64_t>(asked.limit) + 1);
    auto list = all<File>(rows, file_in);
    if (!list) return fail(list.error());
    return page_of(std::move(*list), asked.limit);
}

Result<> put(store::Database& database, const Batch& b) {
    return database
        .prepare(
            "INSERT OR REPLACE INTO kept_batches (id, key, endpoint, input_file, window, metadata, status, errors, "
            "output_file, error_file, created, finished, total, label, completed, failed, bytes) VALUES "
            "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")
        .bind(1, b.id)
        .bind(2, b.key)
        .bind(3, b.endpoint)
        .bind(4, b.input_file)
        .bind(5, b.window)
        .bind(6, b.metadata)
        .bind(7, b.status)
        .bind(8, b.errors)
        .bind(9, b.output_file)
        .bind(10, b.error_file)
        .bind(11, b.created)
        .bind(12, b.finished)
        .bind(13, b.total)
        .bind(14, static_cast<std::int64_t>(b.label))
        .bind(15, b.completed)
        .bind(16, b.failed)
        .bind(17, static_cast<std::int64_t>(b.errors.size() + b.metadata.size()))
        .run();
}

Result<Batch> find_batch(store::Database& database, const std::string& key, const std::string& id) {
    auto row = database.prepare("SELECT " TANDEM_BATCH_COLUMNS " FROM kept_batches WHERE id = ? AND key = ?");
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("batch", id);
    return batch_in(row);
}

Result<Page<Batch>> batches_of(store::Database& database, const std::string& key, const ListAsked& asked) {
    auto rows =
        database.prepare("SELECT " TANDEM_BATCH_COLUMNS
                         " FROM kept_batches WHERE key = ?1 AND (?2 = '' OR id < ?2) ORDER BY id DESC LIMIT ?3");
    rows.bind(1, key).bind(2, asked.after).bind(3, static_cast<std::int64_t>(asked.limit) + 1);
    auto list = all<Batch>(rows, batch_in);
    if (!list) return fail(list.error());
    return page_of(std::move(*list), asked.limit);
}

Result<> put(store::Database& database, const std::string& batch, const BatchLine& line) {
    return database.prepare("INSERT OR IGNORE INTO kept_batch_lines VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(1, batch)
        .bind(2, line.number)
        .bind(3, line.custom_id)
        .bind(4, static_cast<std::int64_t>(line.status))
        .bind(5, line.decision)
        .bind(6, line.body)
        .bind(7, static_cast<std::int64_t>(line.label))
        .run();
}

Result<std::vector<std::int64_t>> answered_lines(store::Database& database, const std::string& batch) {
    auto rows = database.prepare("SELECT number FROM kept_batch_lines WHERE batch = ?");
    rows.bind(1, batch);
    return all<std::int64_t>(rows, [](const store::Statement& row) { return row.integer(0); });
}

Result<std::vector<BatchLine>> next_lines(store::Database& database, const std::string& batch, std::int64_t after,
                                          std::size_t bytes) {
    auto rows = database.prepare(
        "SELECT number, custom_id, status, decision, body, label FROM kept_batch_lines WHERE batch = ? AND number > ? "
        "ORDER BY number");
    rows.bind(1, batch).bind(2, after);
    std::vector<BatchLine> lines;
    for (std::size_t taken = 0; taken < bytes;) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        lines.push_back({rows.integer(0), rows.text(1), static_cast<int>(rows.integer(2)), rows.text(3), rows.text(4),
                         label_in(rows, 5)});
        taken += lines.back().body.size() + 256;
    }
    return lines;
}

Result<> remove_lines(store::Database& database, const std::string& batch) {
    return database.prepare("DELETE FROM kept_batch_lines WHERE batch = ?").bind(1, batch).run();
}

Result<std::int64_t> bytes_of_lines(store::Database& database, const std::string& batch) {
    auto row =
        database.prepare("SELECT COALESCE(SUM(LENGTH(CAST(body AS BLOB))), 0) FROM kept_batch_lines WHERE batch = ?");
    row.bind(1, batch);
    if (const auto found = row.step(); !found) return fail(found.error());
    return row.integer(0);
}

}  // namespace tandem::resources
