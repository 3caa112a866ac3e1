// A folder for work under way, removed with the object. One that kill -9 left behind is removed by the next with the
// same base. Private to backup/.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace tandem::backup {

class Scratch {
  public:
    // Makes `base`.XXXXXX, 0700, and holds its lock. Errors: storage.
    static Result<Scratch> make(const std::filesystem::path& base);
    // Removes what killed processes have left of this base; what one that lives has is locked, and stays.
    static void remove_leftovers(const std::filesystem::path& base);
    Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})), fd_(std::exchange(other.fd_, -1)) {}
    Scratch& operator=(Scratch&&) = delete;
    ~Scratch();
    const std::filesystem::path& path() const { return path_; }
    // It has another name now, and is no longer removed.
    void keep() { path_.clear(); }

  private:
    Scratch(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
    std::filesystem::path path_;
    int fd_;
};

}  // namespace tandem::backup
