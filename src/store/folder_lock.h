// One Tandem at a time in a data folder: the lock on its file `tandem.lock`, held as long as the object lives. The
// system lets it go when the process ends, however it ends.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"
#include "base/world.h"

namespace tandem::store {

class FolderLock {
  public:
    // Takes the lock of a folder that exists, waiting up to `patience` for a process that has it: one that was killed
    // takes a while to go. Errors: unavailable, where another process has it; storage.
    static Result<FolderLock> take(const std::filesystem::path& folder, milliseconds patience = milliseconds(0));
    FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FolderLock& operator=(FolderLock&&) = delete;
    ~FolderLock();

  private:
    explicit FolderLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace tandem::store
