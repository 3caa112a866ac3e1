// Makes segments: of documents that are new, and of other segments.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "retrieval/lexical/segment.h"
#include "retrieval/lexical/stem.h"

namespace tandem::retrieval {

// How much a word counts by where it stands.
inline constexpr std::uint32_t kHeadingWeight = 1;  // beside its weight in the text, where the heading stands too
inline constexpr std::uint32_t kTitleWeight = 2;
inline constexpr std::uint32_t kNameWeight = 1;  // of the file's name

struct ChunkText {
    std::string_view text, heading;
};

struct DocumentText {
    std::int64_t id = 0;
    std::uint64_t mark = 0;  // mark_of() its content's hash
    Language language = Language::english;
    std::string_view title, name;
    std::span<const ChunkText> chunks;
};

// The first eight bytes of a hash.
std::uint64_t mark_of(std::string_view hash);

class SegmentBuilder {
  public:
    void add(const DocumentText& document, Stemmer& stemmer);
    std::size_t documents() const { return documents_.size(); }
    std::size_t chunks() const { return lengths_.size(); }
    std::size_t bytes() const { return bytes_; }  // of memory, about
    // Writes what was added, and is empty then. Errors: storage.
    Result<> write(const std::filesystem::path& file);

  private:
    void count(std::string_view text, std::uint32_t weight, const DocumentText& document, Stemmer& stemmer);
    void end_chunk();
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> terms_;  // to their places
    std::vector<std::vector<Posting>> postings_;
    std::vector<std::uint32_t> counts_;   // of each term in the chunk under way
    std::vector<std::uint32_t> touched_;  // terms of that chunk
    std::vector<SegmentDocument> documents_;
    std::vector<std::uint32_t> lengths_, owners_;
    std::size_t bytes_ = 0;
};

// Whether the document at a place of a segment is to be kept.
using Keeps = std::function<bool(std::size_t segment, std::size_t document)>;

// One segment of several, in their order, without what is not kept; the words of what is not kept are gone.
// Errors: storage.
Result<> merge(std::span<const std::shared_ptr<const Segment>> segments, const Keeps& keeps,
               const std::filesystem::path& file);

}  // namespace tandem::retrieval
