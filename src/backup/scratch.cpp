#include "backup/scratch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace tandem::backup {

namespace fs = std::filesystem;

void Scratch::remove_leftovers(const fs::path& base) {
    const auto prefix = base.filename().string() + ".";
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(base.parent_path(), error)) {
        const auto name = entry.path().filename().string();
        if (!name.starts_with(prefix) || name.size() != prefix.size() + 6) continue;
        const int fd = open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0) continue;
        std::error_code ignored;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) fs::remove_all(entry.path(), ignored);
        close(fd);
    }
}

Result<Scratch> Scratch::make(const fs::path& base) {
    remove_leftovers(base);
    auto name = base.string() + ".XXXXXX";
    if (mkdtemp(name.data()) == nullptr)
        return fail(ErrorCode::storage,
                    fmt::format("cannot make a folder beside {}: {}", base.string(), std::strerror(errno)));
    const int fd = open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) flock(fd, LOCK_EX | LOCK_NB);
    return Scratch(name, fd);
}

Scratch::~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
    if (fd_ >= 0) close(fd_);
}

}  // namespace tandem::backup
