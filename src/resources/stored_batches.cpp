#include <fmt/format.h>

#include "base/text.h"
#include "resources/stored.h"
#include "store/row.h"

namespace tandem::resources {

namespace {

std::unexpected<Error> none(std::string_view what, const std::string& id) {
    return fail(Fault::unknown_object,
                fmt::format("there is no {} '{}'; it was deleted, or belongs to another key", what, printable(id, 80)));
}

const store::Table<File>& files() {
    static const store::Table<File> table(
        "kept_files", {store::column("id", &File::id), store::column("key", &File::key),
                       store::column("name", &File::name), store::column("purpose", &File::purpose),
                       store::column("bytes", &File::bytes), store::column("created", &File::created),
                       store::label("label", &File::label), store::label("said", &File::said)});
    return table;
}

// How the lines of one that is not finished ended is counted; a finished one has no lines any more.
constexpr std::string_view kCompleted =
    "CASE WHEN finished > 0 THEN completed ELSE (SELECT COUNT(*) FROM kept_batch_lines WHERE batch = id AND status = "
    "200) END";
constexpr std::string_view kFailed =
    "CASE WHEN finished > 0 THEN failed ELSE (SELECT COUNT(*) FROM kept_batch_lines WHERE batch = id AND status <> "
    "200) END";

const store::Table<Batch>& batches() {
    static const store::Table<Batch> table(
        "kept_batches",
        {store::column("id", &Batch::id), store::column("key", &Batch::key),
         store::column("endpoint", &Batch::endpoint), store::column("input_file", &Batch::input_file),
         store::column("window", &Batch::window), store::column("metadata", &Batch::metadata),
         store::column("status", &Batch::status), store::column("errors", &Batch::errors),
         store::column("output_file", &Batch::output_file), store::column("error_file", &Batch::error_file),
         store::column("created", &Batch::created), store::column("finished", &Batch::finished),
         store::column("total", &Batch::total), store::label("label", &Batch::label),
         store::read_as(kCompleted, store::column("completed", &Batch::completed)),
         store::read_as(kFailed, store::column("failed", &Batch::failed)),
         store::written<Batch>(
             "bytes", [](const Batch& b) { return static_cast<std::int64_t>(b.errors.size() + b.metadata.size()); })});
    return table;
}

store::Columns<BatchLine> line_columns() {
    using store::column;
    return {column("number", &BatchLine::number), column("custom_id", &BatchLine::custom_id),
            column("status", &BatchLine::status), column("decision", &BatchLine::decision),
            column("body", &BatchLine::body),     store::label("label", &BatchLine::label)};
}

const store::Selection<BatchLine>& lines() {
    static const store::Selection<BatchLine> selection("kept_batch_lines", line_columns());
    return selection;
}

struct KeptLine {
    std::string batch;
    BatchLine line;
};

const store::Table<KeptLine>& kept_lines() {
    using K = KeptLine;
    static const store::Table<K> table(
        "kept_batch_lines", store::both({store::column("batch", &K::batch)}, store::within(&K::line, line_columns())));
    return table;
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
    return files().replace(database, f);
}

Result<File> find_file(store::Database& database, const std::string& key, const std::string& id) {
    static const auto kOne = files().select("WHERE id = ? AND key = ?");
    auto row = database.prepare(kOne.c_str());
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("file", id);
    return files().read(row);
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
    static const auto kAscending =
        files().select("WHERE key = ?1 AND (?2 = '' OR purpose = ?2) AND id > ?3 ORDER BY id LIMIT ?4");
    static const auto kDescending = files().select(
        "WHERE key = ?1 AND (?2 = '' OR purpose = ?2) AND (?3 = '' OR id < ?3) ORDER BY id DESC LIMIT ?4");
    auto rows = database.prepare(asked.ascending ? kAscending.c_str() : kDescending.c_str());
    rows.bind(1, key).bind(2, purpose).bind(3, asked.after).bind(4, static_cast<std::int64_t>(asked.limit) + 1);
    auto list = files().all(rows);
    if (!list) return fail(list.error());
    return page_of(std::move(*list), asked.limit);
}

Result<> put(store::Database& database, const Batch& b) {
    return batches().replace(database, b);
}

Result<Batch> find_batch(store::Database& database, const std::string& key, const std::string& id) {
    static const auto kOne = batches().select("WHERE id = ? AND key = ?");
    auto row = database.prepare(kOne.c_str());
    row.bind(1, id).bind(2, key);
    const auto found = row.step();
    if (!found) return fail(found.error());
    if (!*found) return none("batch", id);
    return batches().read(row);
}

Result<Page<Batch>> batches_of(store::Database& database, const std::string& key, const ListAsked& asked) {
    static const auto kPage = batches().select("WHERE key = ?1 AND (?2 = '' OR id < ?2) ORDER BY id DESC LIMIT ?3");
    auto rows = database.prepare(kPage.c_str());
    rows.bind(1, key).bind(2, asked.after).bind(3, static_cast<std::int64_t>(asked.limit) + 1);
    auto list = batches().all(rows);
    if (!list) return fail(list.error());
    return page_of(std::move(*list), asked.limit);
}

Result<> put(store::Database& database, const std::string& batch, const BatchLine& line) {
    return kept_lines().insert_new(database, {batch, line});
}

Result<std::vector<std::int64_t>> answered_lines(store::Database& database, const std::string& batch) {
    auto rows = database.prepare("SELECT number FROM kept_batch_lines WHERE batch = ?");
    rows.bind(1, batch);
    return all<std::int64_t>(rows, [](const store::Statement& row) { return row.integer(0); });
}

Result<std::vector<BatchLine>> next_lines(store::Database& database, const std::string& batch, std::int64_t after,
                                          std::size_t bytes) {
    static const auto kNext = lines().select("WHERE batch = ? AND number > ? ORDER BY number");
    auto rows = database.prepare(kNext.c_str());
    rows.bind(1, batch).bind(2, after);
    std::vector<BatchLine> next;
    for (std::size_t taken = 0; taken < bytes;) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) break;
        next.push_back(lines().read(rows));
        taken += next.back().body.size() + 256;
    }
    return next;
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
