// The tables of the index (data/index/index.db), which are the truth: what is in the segments follows from them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/label.h"
#include "base/result.h"
#include "config/retrieval.h"
#include "store/store.h"

namespace tandem::retrieval {

std::span<const store::Migration> index_migrations();

struct CollectionRow {
    std::int64_t id = 0;
    config::Collection is;
};

// A file of a collection. `document` is 0 where its content was not read, and `reason` says why.
struct FileRow {
    std::int64_t collection = 0;
    std::string path = {};
    std::int64_t document = 0;
    std::int64_t size = 0, changed = 0, modified = 0, inode = 0;  // as FileState
    std::int64_t checked = 0;                                     // when it was read, in nanoseconds of Unix time
    std::string reason = {};
};

// The content of one or more files, by its hash and by what read it. `reason` is why nothing came of it; empty: its
// chunks are there.
struct DocumentRow {
    std::int64_t id = 0;
    std::string hash = {};  // SHA-256, 32 bytes
    std::string format = {};
    std::int64_t version = 0;
    std::string title = {};
    std::int64_t language = 0;
    std::int64_t bytes = 0;
    std::string reason = {};
};

struct ChunkRow {
    std::int64_t document = 0, ordinal = 0;
    std::string hash = {};  // SHA-256 of the text
    std::string text = {};
    Label label = Label::public_;  // what the detectors found in it
    std::int64_t detection = 0;    // by which settings; see detection_of()
    std::string heading = {};
    std::int64_t first_line = 0, last_line = 0, page = 0, begin = 0, end = 0;
};

// ---- inside a transaction; errors: storage ----

Result<std::vector<CollectionRow>> collections(store::Database& database);
Result<> put(store::Database& database, CollectionRow& row);  // sets `id` where it is 0
Result<> remove_collection(store::Database& database, std::int64_t id);

Result<std::vector<FileRow>> files(store::Database& database);
Result<> put(store::Database& database, const FileRow& row);
Result<> remove_file(store::Database& database, std::int64_t collection, const std::string& path);

Result<std::vector<DocumentRow>> documents(store::Database& database);
Result<> put(store::Database& database, const DocumentRow& row);
// With its chunks, and those texts that no other chunk has.
Result<> remove_document(store::Database& database, std::int64_t id);

// A text that is there already keeps its row, and the higher label.
Result<> put(store::Database& database, const ChunkRow& row);
// In order.
Result<std::vector<ChunkRow>> chunks(store::Database& database, std::int64_t document);
// One of them; nullopt: it is gone.
Result<std::optional<ChunkRow>> chunk(store::Database& database, std::int64_t document, std::int64_t ordinal);
Result<std::int64_t> count_chunks(store::Database& database);

// Documents with a text whose label other settings gave, at most `most`: to be looked at anew.
Result<std::vector<std::int64_t>> outdated_documents(store::Database& database, std::int64_t detection, int most);
// The label of a chunk's text, by these settings; one that they gave already is only raised.
Result<> set_label(store::Database& database, const ChunkRow& row);

// A file that is not found, and why.
struct FailureRow {
    std::int64_t collection = 0;
    std::string path = {}, reason = {};
};
Result<std::vector<FailureRow>> failures(store::Database& database, std::int64_t collection, int most);

// A number by its name; 0 where there is none.
Result<std::int64_t> number(store::Database& database, const std::string& name);
Result<> set_number(store::Database& database, const std::string& name, std::int64_t value);

}  // namespace tandem::retrieval
