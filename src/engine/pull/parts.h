// One file under way: its bytes, and which ranges of it are there. Both are files beside the finished models, so that
// a pull that was killed at any moment goes on where it was.
//
// KEY.part holds the bytes in their places; KEY.ranges begins with what the file is, and has a line for each range that
// is whole: its number, its length and the SHA-256 of it as it came, or its number and how many bytes of it are there.
// A line that is torn counts for nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "base/sha256.h"

namespace tandem::engine {

inline constexpr std::int64_t kSmallestRange = 8LL << 20;  // bytes
inline constexpr std::int64_t kMostRanges = 4'096;         // of a file whose source names none
inline constexpr std::size_t kMostNamedRanges = 200'000;   // that a source may name

struct FileRange {
    std::int64_t first = 0, last = 0;  // bytes, both are in it
    std::string sha256;                // what its source says; empty: nothing
    std::string came;                  // SHA-256 of what is there; empty: it is not there
    std::int64_t have = 0;             // bytes from its beginning that an earlier run left, where it is not whole
    bool odd = false;                  // it took more than one answer

    std::int64_t size() const { return last - first + 1; }
};

// A file of this size in ranges of the same size.
std::vector<FileRange> ranges_of(std::int64_t size);
// Whether they are in order, without gaps, from 0 to the end.
bool covers(const std::vector<FileRange>& ranges, std::int64_t size);

class PartFile {
  public:
    // Takes up what is there for the same `identity` ("HASH NAME": of source, version and size; what begins with "- "
    // is never the same), else begins anew. Errors: unavailable, where another process pulls the same file; storage.
    static Result<PartFile> open(const std::filesystem::path& folder, const std::string& key,
                                 const std::string& identity, std::int64_t size, std::vector<FileRange> ranges);
    PartFile(PartFile&&) = default;
    PartFile& operator=(PartFile&&) = delete;

    std::vector<FileRange>& ranges() { return ranges_; }
    std::int64_t done() const;   // bytes of the ranges that are there
    std::int64_t begun() const;  // bytes of the others that an earlier run left
    // Errors: storage: the disk is full, and the like.
    Result<> write(std::int64_t at, std::string_view bytes);
    // The range is whole, with this SHA-256.
    Result<> keep(std::size_t range, const std::string& sha256);
    // So many bytes of the range are there. What cannot be noted is fetched again.
    void note_part(std::size_t range, std::int64_t bytes);
    // Adds the bytes that lie there. Errors: storage.
    Result<> read_into(std::int64_t first, std::int64_t size, Sha256& sha) const;
    // SHA-256 of what lies there.
    Result<std::string> sha256_of(const FileRange& range) const;
    Result<std::string> sha256() const;
    // The first bytes.
    std::string head(std::size_t most) const;
    // Gives the file its name, once all of it is on the disk, and forgets its ranges. Errors: as give_name().
    Result<> finish(const std::filesystem::path& target, bool replaces);
    void discard();

  private:
    PartFile() = default;
    Result<> begin_journal(const std::string& identity);
    std::filesystem::path part_, journal_;
    std::unique_ptr<Descriptor> bytes_, lines_;
    std::int64_t size_ = 0;
    std::vector<FileRange> ranges_;
};

// A file whose pull has not ended.
struct Unfinished {
    std::string name;
    std::int64_t done = 0, size = 0;  // bytes
    std::int64_t on_disk = 0;         // bytes that deleting it frees
};
// Those of a folder, in order of their names. One that another process is at is among them.
std::vector<Unfinished> unfinished_in(const std::filesystem::path& folder);
// Deletes all that no process is at; gives the bytes that are free now.
std::int64_t discard_unfinished(const std::filesystem::path& folder);

// Bytes that are free for this user where `folder` is, or will be. Errors: storage.
Result<std::int64_t> free_bytes(const std::filesystem::path& folder);
inline constexpr std::int64_t kSpare = 64LL << 20;  // bytes that stay free on the disk
// Whether `folder` has room for so many bytes more of the file `name` in `models`. Errors: unavailable, storage.
Result<> check_room(const std::filesystem::path& folder, std::int64_t bytes, const std::string& name,
                    const std::filesystem::path& models);

}  // namespace tandem::engine
