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

    // Tells what is indexed of it under a name from all else: its content, its reader, that name. A file is found by
    // its own name, and by none that the same content has elsewhere, so each name is indexed apart.
    std::uint64_t mark(std::string_view name) const;

  private:
    mutable std::map<std::string, std::uint64_t, std::less<>> marks_;  // that were asked for
};

// The last part of a path.
std::string_view name_in(std::string_view path);

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

    // Which documents of these segments count, newest segments first, and which are in none of them under a name.
    struct Missing {
        std::int64_t document;
        std::string name;
        auto operator<=>(const Missing&) const = default;
    };
    struct Covered {
        std::shared_ptr<const Snapshot> snapshot;
        std::vector<Missing> missing;
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
