#include "retrieval/index/tables.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "store/row.h"

namespace tandem::retrieval {

namespace {

const char* const kIndexSchema =
    "CREATE TABLE collections (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, "
    "label INTEGER NOT NULL, owner TEXT NOT NULL, keys TEXT NOT NULL, globs TEXT NOT NULL, stored INTEGER NOT NULL) "
    "STRICT;"
    "CREATE TABLE files (collection INTEGER NOT NULL, path TEXT NOT NULL, document INTEGER NOT NULL, size INTEGER NOT "
    "NULL, changed INTEGER NOT NULL, modified INTEGER NOT NULL, inode INTEGER NOT NULL, checked INTEGER NOT NULL, "
    "reason "
    "TEXT NOT NULL, PRIMARY KEY (collection, path)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE documents (id INTEGER PRIMARY KEY, hash BLOB NOT NULL, format TEXT NOT NULL, version INTEGER NOT "
    "NULL, "
    "title TEXT NOT NULL, language INTEGER NOT NULL, bytes INTEGER NOT NULL, reason TEXT NOT NULL, UNIQUE (hash, "
    "format, "
    "version)) STRICT;"
    "CREATE TABLE texts (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text TEXT NOT NULL, label INTEGER NOT "
    "NULL, "
    "detection INTEGER NOT NULL) STRICT;"
    "CREATE TABLE chunks (document INTEGER NOT NULL, ordinal INTEGER NOT NULL, text INTEGER NOT NULL, heading TEXT NOT "
    "NULL, first_line INTEGER NOT NULL, last_line INTEGER NOT NULL, page INTEGER NOT NULL, first_byte INTEGER NOT "
    "NULL, "
    "end_byte INTEGER NOT NULL, PRIMARY KEY (document, ordinal)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX chunks_of_text ON chunks (text);"
    "CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

using C = CollectionRow;
using Is = config::Collection;

std::string lines(const std::vector<std::string>& list) {
    return join(list, "\n");
}
std::vector<std::string> from_lines(const std::string& text) {
    std::vector<std::string> list;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        list.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return list;
}

store::Column<C> list_of(std::string name, std::vector<std::string> Is::* member) {
    return store::text<C>(
        std::move(name), [member](const C& row) { return lines(row.is.*member); },
        [member](C& row, const std::string& text) { row.is.*member = from_lines(text); });
}

const store::Table<C>& collection_table() {
    static const store::Table<C> table(
        "collections",
        {store::only_read(store::column("id", &C::id)),
         store::column("name", &C::is, &Is::name),
         store::text<C>(
             "folder", [](const C& row) { return row.is.folder.string(); },
             [](C& row, const std::string& text) { row.is.folder = text; }),
         {"label",
          [](store::Statement& to, int at, const C& row) { to.bind(at, static_cast<std::int64_t>(row.is.label)); },
          [](const store::Statement& from, int at, C& row) {
              row.is.label = static_cast<Label>(std::clamp<std::int64_t>(from.integer(at), 0, 3));
          }},
         store::column("owner", &C::is, &Is::owner),
         list_of("keys", &Is::keys),
         list_of("globs", &Is::globs),
         store::column("stored", &C::is, &Is::stored)});
    return table;
}

const store::Table<FileRow>& file_table() {
    using F = FileRow;
    static const store::Table<F> table("files",
                                       {store::column("collection", &F::collection), store::column("path", &F::path),
                                        store::column("document", &F::document), store::column("size", &F::size),
                                        store::column("changed", &F::changed), store::column("modified", &F::modified),
                                        store::column("inode", &F::inode), store::column("checked", &F::checked),
                                        store::column("reason", &F::reason)});
    return table;
}

const store::Table<DocumentRow>& document_table() {
    using D = DocumentRow;
    static const store::Table<D> table(
        "documents", {store::column("id", &D::id), store::blob("hash", &D::hash), store::column("format", &D::format),
                      store::column("version", &D::version), store::column("title", &D::title),
                      store::column("language", &D::language), store::column("bytes", &D::bytes),
                      store::column("reason", &D::reason)});
    return table;
}

const store::Selection<ChunkRow>& chunk_selection() {
    using K = ChunkRow;
    static const store::Selection<K> selection(
        "chunks JOIN texts ON texts.id = chunks.text",
        {store::column("chunks.document", &K::document), store::column("chunks.ordinal", &K::ordinal),
         store::blob("texts.hash", &K::hash), store::column("texts.text", &K::text),
         store::label("texts.label", &K::label), store::column("texts.detection", &K::detection),
         store::column("chunks.heading", &K::heading), store::column("chunks.first_line", &K::first_line),
         store::column("chunks.last_line", &K::last_line), store::column("chunks.page", &K::page),
         store::column("chunks.first_byte", &K::begin), store::column("chunks.end_byte", &K::end)});
    return selection;
}

// A chunk without its text.
struct PlacedChunk {
    std::int64_t text = 0;
    ChunkRow is;
};
const store::Table<PlacedChunk>& chunk_table() {
    using P = PlacedChunk;
    using K = ChunkRow;
    static const store::Table<P> table(
        "chunks", {store::column("document", &P::is, &K::document), store::column("ordinal", &P::is, &K::ordinal),
                   store::column("text", &P::text), store::column("heading", &P::is, &K::heading),
                   store::column("first_line", &P::is, &K::first_line),
                   store::column("last_line", &P::is, &K::last_line), store::column("page", &P::is, &K::page),
                   store::column("first_byte", &P::is, &K::begin), store::column("end_byte", &P::is, &K::end)});
    return table;
}

Result<std::int64_t> text_of(store::Database& database, const std::string& hash) {
    auto found = database.prepare("SELECT id FROM texts WHERE hash = ?");
    found.bind_blob(1, hash);
    const auto row = found.step();
    if (!row) return fail(row.error());
    return *row ? found.integer(0) : 0;
}

Result<std::int64_t> last_id(store::Database& database) {
    auto row = database.prepare("SELECT last_insert_rowid()");
    if (auto ok = row.step(); !ok) return fail(ok.error());
    return row.integer(0);
}

}  // namespace

std::span<const store::Migration> index_migrations() {
    static const std::array all{store::Migration{kIndexSchema}};
    return all;
}

Result<std::vector<CollectionRow>> collections(store::Database& database) {
    static const auto kAll = collection_table().select("ORDER BY id");
    auto rows = database.prepare(kAll.c_str());
    return collection_table().all(rows);
}

Result<> put(store::Database& database, CollectionRow& row) {
    static const auto kPut =
        collection_table().into("INSERT",
                                "ON CONFLICT (name) DO UPDATE SET folder = excluded.folder, label = excluded.label, "
                                "owner = excluded.owner, keys "
                                "= excluded.keys, globs = excluded.globs, stored = excluded.stored");
    if (auto ok = collection_table().run(database, kPut, row); !ok) return ok;
    auto found = database.prepare("SELECT id FROM collections WHERE name = ?");
    found.bind(1, row.is.name);
    if (auto ok = found.step(); !ok) return fail(ok.error());
    row.id = found.integer(0);
    return {};
}

Result<> remove_collection(store::Database& database, std::int64_t id) {
    if (auto ok = database.prepare("DELETE FROM files WHERE collection = ?").bind(1, id).run(); !ok) return ok;
    return database.prepare("DELETE FROM collections WHERE id = ?").bind(1, id).run();
}

Result<std::vector<FileRow>> files(store::Database& database) {
    static const auto kAll = file_table().select("ORDER BY collection, path");
    auto rows = database.prepare(kAll.c_str());
    return file_table().all(rows);
}

Result<> put(store::Database& database, const FileRow& row) {
    return file_table().replace(database, row);
}

Result<> remove_file(store::Database& database, std::int64_t collection, const std::string& path) {
    return database.prepare("DELETE FROM files WHERE collection = ? AND path = ?")
        .bind(1, collection)
        .bind(2, path)
        .run();
}

Result<std::vector<DocumentRow>> documents(store::Database& database) {
    static const auto kAll = document_table().select("ORDER BY id");
    auto rows = database.prepare(kAll.c_str());
    return document_table().all(rows);
}

Result<> put(store::Database& database, const DocumentRow& row) {
    return document_table().replace(database, row);
}

Result<> remove_document(store::Database& database, std::int64_t id) {
    std::vector<std::int64_t> texts;
    {
        auto rows = database.prepare("SELECT DISTINCT text FROM chunks WHERE document = ?");
        rows.bind(1, id);
        while (true) {
            const auto row = rows.step();
            if (!row) return fail(row.error());
            if (!*row) break;
            texts.push_back(rows.integer(0));
        }
    }
    if (auto ok = database.prepare("DELETE FROM chunks WHERE document = ?").bind(1, id).run(); !ok) return ok;
    for (const auto text : texts) {
        auto ok =
            database.prepare("DELETE FROM texts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM chunks WHERE text = ?1)")
                .bind(1, text)
                .run();
        if (!ok) return ok;
    }
    return database.prepare("DELETE FROM documents WHERE id = ?").bind(1, id).run();
}

Result<> put(store::Database& database, const ChunkRow& row) {
    auto text = text_of(database, row.hash);
    if (!text) return fail(text.error());
    const auto label = static_cast<std::int64_t>(row.label);
    if (*text == 0) {
        auto insert = database.prepare("INSERT INTO texts (hash, text, label, detection) VALUES (?, ?, ?, ?)");
        insert.bind_blob(1, row.hash).bind(2, row.text).bind(3, label).bind(4, row.detection);
        if (auto ok = insert.run(); !ok) return ok;
        text = last_id(database);
        if (!text) return fail(text.error());
    } else {
        // The same words can mean more beside others.
        auto raise = database.prepare("UPDATE texts SET label = ?1 WHERE id = ?2 AND label < ?1");
        if (auto ok = raise.bind(1, label).bind(2, *text).run(); !ok) return ok;
    }
    return chunk_table().insert(database, {*text, row});
}

Result<std::vector<ChunkRow>> chunks(store::Database& database, std::int64_t document) {
    static const auto kOf = chunk_selection().select("WHERE chunks.document = ? ORDER BY chunks.ordinal");
    auto rows = database.prepare(kOf.c_str());
    rows.bind(1, document);
    return chunk_selection().all(rows);
}

Result<std::optional<ChunkRow>> chunk(store::Database& database, std::int64_t document, std::int64_t ordinal) {
    static const auto kOne = chunk_selection().select("WHERE chunks.document = ? AND chunks.ordinal = ?");
    auto rows = database.prepare(kOne.c_str());
    rows.bind(1, document).bind(2, ordinal);
    const auto there = rows.step();
    if (!there) return fail(there.error());
    if (!*there) return std::optional<ChunkRow>();
    return std::optional(chunk_selection().read(rows));
}

Result<std::int64_t> count_chunks(store::Database& database) {
    auto row = database.prepare("SELECT count(*) FROM chunks");
    if (auto ok = row.step(); !ok) return fail(ok.error());
    return row.integer(0);
}

Result<std::vector<std::int64_t>> outdated_documents(store::Database& database, std::int64_t detection, int most) {
    auto rows = database.prepare(
        "SELECT DISTINCT document FROM chunks WHERE text IN (SELECT id FROM texts WHERE detection <> ? LIMIT ?)");
    rows.bind(1, detection).bind(2, most);
    std::vector<std::int64_t> list;
    while (true) {
        const auto row = rows.step();
        if (!row) return fail(row.error());
        if (!*row) return list;
        list.push_back(rows.integer(0));
    }
}

Result<> set_label(store::Database& database, const ChunkRow& row) {
    return database
        .prepare(
            "UPDATE texts SET label = CASE WHEN detection = ?1 THEN max(label, ?2) ELSE ?2 END, detection = ?1 "
            "WHERE hash = ?3")
        .bind(1, row.detection)
        .bind(2, static_cast<std::int64_t>(row.label))
        .bind_blob(3, row.hash)
        .run();
}

Result<std::vector<FailureRow>> failures(store::Database& database, std::int64_t collection, int most) {
    static const store::Selection<FailureRow> selection(
        "files LEFT JOIN documents ON documents.id = files.document",
        {store::column("files.collection", &FailureRow::collection), store::column("files.path", &FailureRow::path),
         store::read_as("CASE WHEN files.reason <> '' THEN files.reason ELSE documents.reason END",
                        store::column("reason", &FailureRow::reason))});
    static const auto kOf = selection.select(
        "WHERE files.collection = ? AND (files.reason <> '' OR documents.reason <> '') ORDER BY files.path LIMIT ?");
    auto rows = database.prepare(kOf.c_str());
    rows.bind(1, collection).bind(2, most);
    return selection.all(rows);
}

Result<std::int64_t> number(store::Database& database, const std::string& name) {
    auto row = database.prepare("SELECT value FROM numbers WHERE name = ?");
    row.bind(1, name);
    const auto there = row.step();
    if (!there) return fail(there.error());
    return *there ? row.integer(0) : 0;
}

Result<> set_number(store::Database& database, const std::string& name, std::int64_t value) {
    return database.prepare("INSERT OR REPLACE INTO numbers (name, value) VALUES (?, ?)")
        .bind(1, name)
        .bind(2, value)
        .run();
}

}  // namespace tandem::retrieval
