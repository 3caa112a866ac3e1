// A segment: the words of some documents, in one immutable file that is mapped into memory. It is derived: whatever is
// wrong with a file of it, the file is thrown away, and its documents are put into a new one.
//
// A document's first chunk in a segment is no chunk of its text, but its title and its file's name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::retrieval {

inline constexpr std::size_t kMostSegmentChunks = 1UL << 24;  // what a posting has room for
inline constexpr std::uint32_t kMostCount = 255;              // of one word in one chunk

// A document as a segment knows it. The mark tells whether the document of this id is still the one that was indexed.
struct SegmentDocument {
    std::int64_t id;
    std::uint64_t mark;
    std::uint32_t first_chunk;
    std::uint32_t words;  // of all its chunks, weighted
};

// chunk << 8 | how often, weighted; rising.
using Posting = std::uint32_t;

class Segment {
  public:
    // Maps and checks a file: all tables are within their bounds. Errors: invalid; storage.
    static Result<std::shared_ptr<const Segment>> open(const std::filesystem::path& file);
    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    const std::filesystem::path& file() const { return file_; }
    std::size_t bytes() const { return size_; }
    std::span<const SegmentDocument> documents() const { return documents_; }
    std::size_t chunks() const { return lengths_.size(); }
    std::span<const std::uint32_t> lengths() const { return lengths_; }     // words of each chunk, weighted
    std::span<const std::uint32_t> document_of() const { return owners_; }  // of each chunk: a place in documents()
    std::size_t first_chunk(std::size_t document) const { return documents_[document].first_chunk; }
    std::size_t end_chunk(std::size_t document) const {
        return document + 1 < documents_.size() ? documents_[document + 1].first_chunk : chunks();
    }

    std::size_t terms() const { return term_count_; }
    std::string_view term(std::size_t at) const;
    std::span<const Posting> postings(std::size_t at) const;
    // Of a term; empty where it is in no chunk.
    std::span<const Posting> find(std::string_view term) const;
    // The file is no longer needed, and is removed with the last user of this object.
    void remove_when_unused() const { remove_ = true; }

  private:
    Segment() = default;
    Result<> read_tables();
    std::filesystem::path file_;
    void* map_ = nullptr;
    std::size_t size_ = 0;
    std::span<const SegmentDocument> documents_;
    std::span<const std::uint32_t> lengths_, owners_;
    std::size_t term_count_ = 0;
    std::span<const std::uint64_t> term_places_, posting_places_;  // one more than terms
    std::string_view term_text_;
    std::span<const Posting> postings_;
    mutable bool remove_ = false;
};

// Writes a segment: postings term by term in the order of the terms, then the tables. The file has its name only when
// it is whole.
class SegmentWriter {
  public:
    // Errors: storage.
    static Result<std::unique_ptr<SegmentWriter>> create(const std::filesystem::path& file);
    ~SegmentWriter();
    SegmentWriter(const SegmentWriter&) = delete;
    SegmentWriter& operator=(const SegmentWriter&) = delete;

    void add_term(std::string_view term, std::span<const Posting> postings);
    // Errors: storage.
    Result<> finish(std::span<const SegmentDocument> documents, std::span<const std::uint32_t> lengths,
                    std::span<const std::uint32_t> owners);

  private:
    SegmentWriter() = default;
    void put(const void* bytes, std::size_t size);
    std::filesystem::path file_, beside_;
    int fd_ = -1;
    std::string buffer_;
    std::uint64_t written_ = 0;
    bool failed_ = false;
    std::vector<std::uint64_t> term_places_{0}, posting_places_{0};
    std::string term_text_;
};

}  // namespace tandem::retrieval
