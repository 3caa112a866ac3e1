#include "net/local.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tandem::net {

namespace {

constexpr std::size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

}  // namespace

Result<LocalAddress> LocalAddress::of(const std::filesystem::path& file) {
    const auto parent = file.parent_path();
    const int folder = open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return fail(ErrorCode::unavailable, fmt::format("cannot open {}: {}", parent.string(), std::strerror(errno)));
    const std::string name = file.filename();
    auto path = file.string();
    if (path.size() > kLongestPath) path = fmt::format("/proc/self/fd/{}/{}", folder, name);
    LocalAddress address(folder, std::move(path), name);
    struct stat info{};
    if (fstat(folder, &info) != 0 || (info.st_mode & 0022) != 0)
        return fail(ErrorCode::unavailable,
                    fmt::format("others may write to {}; chmod go-w {}", parent.string(), parent.string()));
    if (address.path_.size() > kLongestPath)
        return fail(ErrorCode::unavailable, fmt::format("the name {} is too long", name));
    return address;
}

LocalAddress::~LocalAddress() {
    if (folder_ >= 0) close(folder_);
}

bool LocalAddress::has_socket() const {
    struct stat folder{}, socket{};
    if (fstat(folder_, &folder) != 0 || fstatat(folder_, name_.c_str(), &socket, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    return S_ISSOCK(socket.st_mode) &&
           (socket.st_uid == folder.st_uid || socket.st_uid == geteuid() || socket.st_uid == 0);
}

Result<> LocalAddress::remove_socket() const {
    struct stat info{};
    if (fstatat(folder_, name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return {};
        return fail(ErrorCode::unavailable, fmt::format("{}: {}", path_, std::strerror(errno)));
    }
    if (!S_ISSOCK(info.st_mode)) return fail(ErrorCode::unavailable, fmt::format("{} is no socket", path_));
    if (unlinkat(folder_, name_.c_str(), 0) != 0)
        return fail(ErrorCode::unavailable, fmt::format("cannot remove {}: {}", path_, std::strerror(errno)));
    return {};
}

bool peer_is_ours(int fd) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

}  // namespace tandem::net
