// The archive of a backup: files with their sums, written in one pass, verified in one pass. Private to backup/.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backup/tar.h"
#include "base/hash.h"
#include "base/result.h"
#include "base/sha256.h"
#include "store/store.h"

namespace tandem::backup {

inline constexpr std::string_view kSums = "SHA256SUMS";
inline constexpr std::size_t kMostFiles = 1'000'000;

class ArchiveWriter {
  public:
    // `fd` is borrowed; `time`, in seconds since 1970, is that of each file.
    ArchiveWriter(int fd, std::int64_t time) : tar_(fd), time_(time) {}
    Result<> add_text(const std::string& name, std::string_view text);
    // As long as it is when it is opened; what is added to it meanwhile is not in the archive. Errors: storage, also
    // where it becomes shorter.
    Result<> add_file(const std::string& name, const std::filesystem::path& file);
    // Writes the sums and the end. Errors: storage.
    Result<> finish();
    std::size_t files() const { return count_; }
    std::uint64_t bytes() const { return tar_.bytes(); }

  private:
    void note(const Digest& digest, const std::string& name);
    TarWriter tar_;
    std::int64_t time_;
    std::string sums_;
    std::size_t count_ = 0;
};

// What was read of an archive, and whether it is what its sums say.
class Sums {
  public:
    // A file of the archive. Errors: invalid, for a second one of that name or too many.
    Result<> add(const std::string& name, const Digest& digest);
    // Compares with the text of SHA256SUMS: each file is in both. Errors: invalid, with the name.
    Result<> compare(std::string_view text) const;
    std::size_t size() const { return files_.size(); }

  private:
    std::unordered_map<std::string, Digest> files_;
};

// Reads an archive whole and compares it with its sums. Errors: invalid, storage.
Result<> check_sums(int fd);

// PRAGMA integrity_check. Errors: invalid, with what is wrong; storage.
Result<> check_structure(store::Database& database);

// Brings the names in a folder to the disk. Errors: storage.
Result<> flush_folder(const std::filesystem::path& folder);

}  // namespace tandem::backup
