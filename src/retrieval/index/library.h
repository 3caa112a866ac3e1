// All that is known of the files, in memory, as the tables have it. For one thread; what others see is a Snapshot of
// it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "retrieval/index/snapshot.h"
#include "retrieval/index/tables.h"

namespace tandem::retrieval {

struct Document {
    DocumentRow row;
    const Format* format = nullptr;
    std::set<std::pair<std::int64_t, std::string>> files;  // collection and path

    // The name of its files, where all have the same; else empty. It is indexed beside the text, and nobody may find a
    // file by the name that it has in a collection of others.
    std::string name() const;
    // Tells one state of what is indexed of it from another: its content, its reader, its name.
    std::uint64_t mark() const;
    void files_changed() { known_mark_.reset(); }

  private:
    mutable std::optional<std::uint64_t> known_mark_;
};

class Library {
  public:
    // Errors: storage.
    static Result<Library> load(store::Database& database);

    std::vector<CollectionRow>& collections() { return collections_; }
    const CollectionRow* collection(std::int64_t id) const;
    using Files = std::map<std::string, FileRow, std::less<>>;
    Files& files(std::int64_t collection) { return files_[collection]; }

    Document* document(std::int64_t id);
    // By content and by what reads it.
    Document* find(const std::string& hash, const Format& format);
    Document& add(DocumentRow row);
    // Takes over a file's row; the documents know of it.
    void put(const FileRow& row);
    void remove(std::int64_t collection, const std::string& path);
    // Documents that no file has.
    const std::set<std::int64_t>& orphans() const { return orphans_; }
    void erase(std::int64_t document);
    std::int64_t next_document() { return next_document_++; }
    std::int64_t last_document() const { return next_document_ - 1; }
    std::size_t size() const { return documents_.size(); }

    // Which documents of these segments count, newest segments first, and which documents are in none of them.
    struct Covered {
        std::shared_ptr<const Snapshot> snapshot;
        std::vector<std::int64_t> missing;
    };
    Covered cover(std::vector<std::shared_ptr<const Segment>> segments) const;

  private:
    std::string key_of(const std::string& hash, std::string_view format, std::int64_t version) const;
    std::vector<CollectionRow> collections_;
    std::map<std::int64_t, Files> files_;
    std::map<std::int64_t, std::unique_ptr<Document>> documents_;
    std::unordered_map<std::string, std::int64_t> by_key_;
    std::set<std::int64_t> orphans_;
    std::int64_t next_document_ = 1;
};

inline constexpr const char* kNextDocument = "next_document";

}  // namespace tandem::retrieval
