#include "store/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace tandem::store {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder, milliseconds patience) {
    const auto file = folder / "tandem.lock";
    const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(ErrorCode::storage, fmt::format("cannot write {}: {}; check the owner of the data folder",
                                                    file.string(), std::strerror(errno)));
    constexpr milliseconds kLook{50};
    const auto until = std::chrono::steady_clock::now() + patience;
    bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    while (!locked && errno == EWOULDBLOCK && std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(kLook);
        locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    }
    if (!locked) {
        close(fd);
        return fail(
            Fault::folder_in_use,
            fmt::format("another tandem uses {}; stop it, or give this one another `data:` folder", folder.string()));
    }
    return FolderLock(fd);
}

FolderLock::~FolderLock() {
    if (fd_ >= 0) close(fd_);
}

}  // namespace tandem::store
