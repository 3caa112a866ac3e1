// Regular files in a tar archive (POSIX.1-2001, "pax" for what ustar cannot say), written and read as a stream. Private
// to backup/.
//
// What is read is hostile: a name that leaves its folder, a link, a device or a sum that does not fit is an error, and
// nothing is ever followed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem::backup {

inline constexpr std::size_t kBlock = 512;
inline constexpr std::size_t kLongestName = 1024;  // bytes

// A relative path of plain names: no "..", no empty name, no control character, at most kLongestName bytes and 16
// levels. The only names that an archive has.
bool is_plain_name(std::string_view name);

class TarWriter {
  public:
    // Borrowed; written from where it stands.
    explicit TarWriter(int fd) : fd_(fd) {}
    // The head of a file of `size` bytes; exactly so many follow by write(), then end(). `time` in seconds since 1970.
    // Errors: storage.
    Result<> begin(const std::string& name, std::uint64_t size, std::int64_t time);
    Result<> write(std::string_view bytes);
    Result<> end();
    // The end of the archive. Errors: storage.
    Result<> finish();
    std::uint64_t bytes() const { return bytes_; }

  private:
    Result<> head(const std::string& name, std::uint64_t size, std::int64_t time, char type);
    Result<> put(std::string_view bytes);
    int fd_;
    std::uint64_t bytes_ = 0;  // of the archive
};

struct TarEntry {
    std::string name;
    std::uint64_t size = 0;
};

class TarReader {
  public:
    // Borrowed; read from where it stands.
    explicit TarReader(int fd) : fd_(fd) {}
    // The next regular file; nothing at the end. Folders are passed over. The content of the one before has been read,
    // by content(). Errors: invalid, storage.
    Result<std::optional<TarEntry>> next();
    // The content of the entry, in pieces. Errors: invalid, storage, and what `each` fails with.
    Result<> content(const TarEntry& entry, const std::function<Result<>(std::string_view)>& each);

  private:
    struct Head;
    Result<bool> block(std::array<char, kBlock>& into);  // false where the file ends before it
    Result<std::optional<Head>> head();
    Result<std::string> text(std::uint64_t size);
    int fd_;
};

}  // namespace tandem::backup
