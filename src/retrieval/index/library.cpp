#include "retrieval/index/library.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "retrieval/lexical/builder.h"

namespace tandem::retrieval {

std::string_view name_in(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

std::uint64_t Document::mark(std::string_view name) const {
    const auto known = marks_.find(name);
    if (known != marks_.end()) return known->second;
    const auto digest = sha256(row.hash + fmt::format("|{}|{}|{}", row.format, row.version, name));
    const auto mark = mark_of({reinterpret_cast<const char*>(digest.data()), digest.size()});
    marks_.emplace(name, mark);
    return mark;
}

Result<Library> Library::load(store::Database& database) {
    Library library;
    auto collections = retrieval::collections(database);
    if (!collections) return fail(collections.error());
    library.collections_ = std::move(*collections);
    auto documents = retrieval::documents(database);
    if (!documents) return fail(documents.error());
    for (auto& row : *documents) library.add(std::move(row));
    const auto next = number(database, kNextDocument);
    if (!next) return fail(next.error());
    library.next_document_ = std::max(library.next_document_, *next);
    auto files = retrieval::files(database);
    if (!files) return fail(files.error());
    for (const auto& row : *files) library.put(row);
    return library;
}

const CollectionRow* Library::collection(std::int64_t id) const {
    const auto found = std::ranges::find(collections_, id, &CollectionRow::id);
    return found == collections_.end() ? nullptr : &*found;
}

std::string Library::key_of(const std::string& hash, std::string_view format, std::int64_t version) const {
    return fmt::format("{}|{}|", format, version) + hash;
}

Document* Library::document(std::int64_t id) {
    const auto found = documents_.find(id);
    return found == documents_.end() ? nullptr : found->second.get();
}

Document* Library::find(const std::string& hash, const Format& format) {
    const auto found = by_key_.find(key_of(hash, format.name, format.version));
    return found == by_key_.end() ? nullptr : document(found->second);
}

Document& Library::add(DocumentRow row) {
    auto made = std::make_unique<Document>();
    made->row = std::move(row);
    made->format = format_named(made->row.format);
    if (made->format == nullptr) made->format = &formats()[0];
    const auto id = made->row.id;
    next_document_ = std::max(next_document_, id + 1);
    by_key_[key_of(made->row.hash, made->row.format, made->row.version)] = id;
    orphans_.insert(id);
    return *(documents_[id] = std::move(made));
}

void Library::put(const FileRow& row) {
    remove(row.collection, row.path);
    if (auto* document = this->document(row.document); document != nullptr) {
        document->files.emplace(row.collection, row.path);
        orphans_.erase(row.document);
    }
    files_[row.collection][row.path] = row;
}

void Library::remove(std::int64_t collection, const std::string& path) {
    auto& files = files_[collection];
    const auto found = files.find(path);
    if (found == files.end()) return;
    if (auto* document = this->document(found->second.document); document != nullptr) {
        document->files.erase({collection, path});
        if (document->files.empty()) orphans_.insert(document->row.id);
    }
    files.erase(found);
}

void Library::erase(std::int64_t id) {
    const auto found = documents_.find(id);
    if (found == documents_.end()) return;
    const auto& row = found->second->row;
    by_key_.erase(key_of(row.hash, row.format, row.version));
    orphans_.erase(id);
    documents_.erase(found);
}

Library::Covered Library::cover(std::vector<std::shared_ptr<const Segment>> segments) const {
    auto made = std::make_shared<Snapshot>();
    std::map<std::int64_t, std::uint32_t> collection_at;
    for (const auto& row : collections_) {
        collection_at[row.id] = static_cast<std::uint32_t>(made->collections.size());
        made->collections.push_back({row.id, row.is});
    }
    struct Wanted {
        Missing what;
        std::uint32_t place;
        bool found = false;
    };
    std::unordered_map<std::uint64_t, Wanted> wanted;  // by mark
    for (const auto& [id, document] : documents_) {
        if (document->files.empty() || !document->row.reason.empty()) continue;
        std::map<std::string_view, std::vector<const FileRow*>> by_name;
        for (const auto& [collection, path] : document->files)
            by_name[name_in(path)].push_back(&files_.at(collection).at(path));
        for (const auto& [name, rows] : by_name) {
            Snapshot::Document entry{id,
                                     static_cast<std::uint32_t>(made->files.size()),
                                     0,
                                     document->format,
                                     static_cast<Language>(std::clamp<std::int64_t>(
                                         document->row.language, 0, static_cast<std::int64_t>(kLanguages) - 1)),
                                     document->row.title};
            for (const auto* row : rows)
                made->files.push_back(
                    {collection_at[row->collection], row->path, {row->size, row->changed, row->modified, row->inode}});
            entry.end_file = static_cast<std::uint32_t>(made->files.size());
            wanted[document->mark(name)] = {{id, std::string(name)},
                                            static_cast<std::uint32_t>(made->documents.size())};
            made->documents.push_back(std::move(entry));
        }
    }
    for (const auto& segment : segments) {
        auto& places = made->places.emplace_back();
        for (const auto& one : segment->documents()) {
            const auto found = wanted.find(one.mark);
            const bool counts = found != wanted.end() && found->second.what.document == one.id && !found->second.found;
            places.push_back(counts ? found->second.place : Snapshot::kNone);
            if (counts) found->second.found = true;
        }
    }
    Covered covered;
    for (const auto& [mark, one] : wanted)
        if (!one.found) covered.missing.push_back(one.what);
    std::ranges::sort(covered.missing);
    made->segments = std::move(segments);
    covered.snapshot = std::move(made);
    return covered;
}

}  // namespace tandem::retrieval
