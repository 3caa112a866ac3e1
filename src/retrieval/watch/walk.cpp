#include "retrieval/watch/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace tandem::retrieval {

namespace {

constexpr std::size_t kDeepestFolder = 100;          // in each other
constexpr std::size_t kLongestPath = 4'000;          // bytes
constexpr std::size_t kMostRuleBytes = 256UL << 10;  // of a .gitignore

std::int64_t nanoseconds(const timespec& time) {
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

FileState state_of(const struct stat& info) {
    return {info.st_size, nanoseconds(info.st_ctim), nanoseconds(info.st_mtim), static_cast<std::int64_t>(info.st_ino)};
}

std::string joined(const std::string& folder, std::string_view name) {
    return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

std::string read_small(int fd, std::size_t most) {
    std::string text(most, '\0');
    const auto got = read(fd, text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    text.shrink_to_fit();
    return text;
}

std::string_view kind_of(mode_t mode) {
    if (S_ISLNK(mode)) return "a link";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

bool is_network(long type) {
    constexpr long kCifs = 0xFF534D42, kSmb2 = static_cast<long>(0xFE534D42U), kFuse = 0x65735546, kCeph = 0x00C36400;
    return type == NFS_SUPER_MAGIC || type == kCifs || type == kSmb2 || type == kFuse || type == V9FS_MAGIC ||
           type == kCeph || type == AFS_SUPER_MAGIC;
}

}  // namespace

Result<Walk> Walk::open(const std::filesystem::path& root, const std::vector<std::filesystem::path>& never) {
    const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    // Nor by a link on the way: somebody may have put one there, to a folder that is none of the collection.
    std::error_code error;
    const auto real = std::filesystem::canonical(root, error);
    const auto here = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
    if (fd >= 0 && (error || here != root.lexically_normal())) {
        ::close(fd);
        return fail(ErrorCode::not_found,
                    fmt::format("{} is reached by a symbolic link, and none is followed: name the folder itself ({})",
                                root.string(), real.string()));
    }
    if (fd < 0)
        return fail(ErrorCode::not_found,
                    fmt::format("cannot open the folder {}: {}", root.string(), std::strerror(errno)));
    Walk walk(fd);
    struct stat info{};
    for (const auto& one : never)
        if (stat(one.c_str(), &info) == 0) walk.never_.emplace_back(info.st_dev, info.st_ino);
    return walk;
}

// No part of the path may be a link: between a look and an opening somebody may have put one there.
int Walk::open_below(const std::string& path, int flags) const {
    const auto* name = path.empty() ? "." : path.c_str();
    // openat2 refuses flags that mean nothing beside O_PATH.
    flags |= O_CLOEXEC | O_NOFOLLOW | ((flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY);
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const auto fd = syscall(SYS_openat2, root_->get(), name, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
    return openat(root_->get(), name, flags);
}

IgnoreRules Walk::rules_of(const std::string& folder, const IgnoreRules& around) const {
    auto rules = around;
    for (const auto* name : {".gitignore", ".tandemignore"}) {
        const Descriptor fd(open_below(joined(folder, name), O_RDONLY));
        struct stat info{};
        if (fd.get() < 0 || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
        rules = rules.with(folder.empty() ? "" : folder + "/", read_small(fd.get(), kMostRuleBytes));
    }
    return rules;
}

bool Walk::list(const std::string& folder, const IgnoreRules& rules, const std::vector<std::string>& globs,
                const Visitor& visitor, std::vector<std::string>& below) const {
    const int fd = open_below(folder, O_RDONLY | O_DIRECTORY);
    struct stat info{};
    if (fd < 0 || fstat(fd, &info) != 0) {
        const bool gone = errno == ENOENT || errno == ENOTDIR;
        if (!gone) visitor.skipped(folder, fmt::format("the folder cannot be opened: {}", std::strerror(errno)));
        if (fd >= 0) close(fd);
        return !gone;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> open(fdopendir(fd), closedir);
    const auto is_ours = [this](const struct stat& one) {
        return std::ranges::find(never_, std::pair(one.st_dev, one.st_ino)) != never_.end();
    };
    if (is_ours(info)) return true;
    visitor.folder(folder);
    while (const auto* entry = readdir(open.get())) {
        if (visitor.stopped()) return false;
        const std::string_view name = entry->d_name;
        if (name.starts_with('.')) continue;
        auto path = joined(folder, name);
        if (path.size() > kLongestPath) {
            visitor.skipped(path, "its path is too long");
            continue;
        }
        if (fstatat(dirfd(open.get()), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        const bool is_folder = S_ISDIR(info.st_mode);
        if (rules.ignores(path, is_folder)) continue;
        if (is_folder) {
            below.push_back(std::move(path));
        } else if (S_ISREG(info.st_mode)) {
            if (is_ours(info)) continue;
            if (is_chosen(globs, path)) visitor.file(path, retrieval::state_of(info));
        } else if (!S_ISLNK(info.st_mode) && is_chosen(globs, path)) {
            visitor.skipped(path, fmt::format("it is {}, and no file", kind_of(info.st_mode)));
        }
    }
    return true;
}

bool Walk::run(const std::string& from, bool deep, const std::vector<std::string>& globs,
               const Visitor& visitor) const {
    struct Left {
        std::string path;
        IgnoreRules around;
        std::size_t depth;
    };
    // The rules of the folders around where it begins.
    IgnoreRules around;
    for (std::size_t at = 0; !from.empty() && at != std::string::npos;) {
        around = rules_of(from.substr(0, at == 0 ? 0 : at), around);
        at = from.find('/', at == 0 ? 0 : at + 1);
        const auto folder = from.substr(0, at);
        const auto name = std::string_view(folder).substr(folder.rfind('/') + 1);
        if (name.starts_with('.') || around.ignores(folder, true)) return false;
    }
    std::vector<Left> left{{from, around, static_cast<std::size_t>(std::ranges::count(from, '/'))}};
    bool first = true;
    while (!left.empty()) {
        const auto one = std::move(left.back());
        left.pop_back();
        const auto rules = rules_of(one.path, one.around);
        std::vector<std::string> below;
        if (!list(one.path, rules, globs, visitor, below) && (first || visitor.stopped())) return false;
        first = false;
        if (!deep) {
            for (const auto& path : below) visitor.folder(path);
            break;
        }
        for (auto& path : below)
            if (one.depth < kDeepestFolder)
                left.push_back({std::move(path), rules, one.depth + 1});
            else
                visitor.skipped(path, "folders lie too deep in each other");
    }
    return true;
}

std::optional<FileState> Walk::state_of(const std::string& path) const {
    const Descriptor fd(open_below(path, O_PATH));
    struct stat info{};
    if (fd.get() < 0 || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    return retrieval::state_of(info);
}

Result<std::string> Walk::read(const std::string& path, std::size_t most, FileState& state) const {
    const Descriptor fd(open_below(path, O_RDONLY));
    struct stat info{};
    if (fd.get() < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return fail(ErrorCode::not_found, "it is gone");
    if (fd.get() < 0 || fstat(fd.get(), &info) != 0)
        return fail(ErrorCode::storage, fmt::format("it cannot be opened: {}", std::strerror(errno)));
    if (!S_ISREG(info.st_mode)) return fail(ErrorCode::not_found, "it is no file any more");
    state = retrieval::state_of(info);
    if (static_cast<std::size_t>(info.st_size) > most)
        return fail(ErrorCode::too_large,
                    fmt::format("it has {} bytes, and retrieval.max_file is {}", info.st_size, most));
    std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail(ErrorCode::storage, fmt::format("it cannot be read: {}", std::strerror(errno)));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    if (done != bytes.size() || fstat(fd.get(), &info) != 0 || !(retrieval::state_of(info) == state))
        return fail(ErrorCode::unavailable, "it changed while it was read");
    return bytes;
}

bool Walk::is_remote() const {
    struct statfs info{};
    return fstatfs(root_->get(), &info) == 0 && is_network(static_cast<long>(info.f_type));
}

}  // namespace tandem::retrieval
