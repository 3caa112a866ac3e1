#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/descriptor.h"

namespace tandem {

namespace fs = std::filesystem;

namespace {

constexpr int kMostLinks = 40;  // as the kernel follows
constexpr std::size_t kPiece = 64UL * 1024;

std::unexpected<Error> system_error(std::string_view what, const fs::path& file, int why) {
    return fail(why == ENOENT && what == "read" ? Fault::file_not_found : Fault::storage,
                fmt::format("cannot {} {}: {}", what, file.string(), std::strerror(why)));
}

// Where the owner cannot be given, the group that the file has instead is somebody else's.
bool protect(int fd, const Protection& protection) {
    auto mode = protection.mode & 07777;
    const bool is_given = protection.owner != static_cast<uid_t>(-1) || protection.group != static_cast<gid_t>(-1);
    if (is_given && fchown(fd, protection.owner, protection.group) != 0 &&
        fchown(fd, static_cast<uid_t>(-1), protection.group) != 0)
        mode &= ~static_cast<mode_t>(070);
    return fchmod(fd, mode) == 0;
}

std::string_view kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return "a folder";
    if (S_ISFIFO(mode)) return "a pipe";
    if (S_ISSOCK(mode)) return "a socket";
    return "a device";
}

Result<> check_kind(const fs::path& file, mode_t mode) {
    if (S_ISREG(mode)) return {};
    return fail(Fault::invalid, fmt::format("{} is {}, and a regular file is needed", file.string(), kind_of(mode)));
}

}  // namespace

Protection protection_of(const fs::path& file) {
    struct stat info{};
    if (stat(file.c_str(), &info) != 0) return {};
    return {info.st_mode & 07777, info.st_uid, info.st_gid};
}

Result<> write_file(const fs::path& file, std::string_view bytes, const Protection& protection) {
    auto fresh = file.string() + ".new-XXXXXX";
    // Makes a file that was not there, with mode 0600, and follows no link.
    Descriptor fd(mkostemp(fresh.data(), O_CLOEXEC));
    if (fd.get() < 0) return system_error("write", file, errno);
    int why = 0;
    if (!protect(fd.get(), protection) || !write_all(fd.get(), bytes)) why = errno;
    if (!fd.closed() && why == 0) why = errno;
    if (why == 0 && rename(fresh.c_str(), file.c_str()) == 0) return {};
    if (why == 0) why = errno;
    unlink(fresh.c_str());
    return system_error("write", file, why);
}

Result<> write_private_file(const fs::path& file, std::string_view bytes) {
    return write_file(file, bytes, {});
}

Result<> make_folder_of(const fs::path& file) {
    std::error_code error;
    if (file.has_parent_path()) fs::create_directories(file.parent_path(), error);
    if (!error) return {};
    return fail(ErrorCode::storage,
                fmt::format("cannot make the folder {}: {}", file.parent_path().string(), error.message()));
}

Result<std::string> read_regular(const fs::path& file, std::size_t most) {
    // Opening a pipe that nobody writes to would wait.
    const Descriptor fd(open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat info{};
    if (fd.get() < 0 || fstat(fd.get(), &info) != 0) {
        const auto why = errno;
        // A socket cannot be opened at all.
        if (stat(file.c_str(), &info) == 0)
            if (auto ok = check_kind(file, info.st_mode); !ok) return fail(ok.error());
        return system_error("read", file, why);
    }
    if (auto ok = check_kind(file, info.st_mode); !ok) return fail(ok.error());
    std::string text;
    while (text.size() < most) {
        const auto have = text.size();
        text.resize(have + std::min(kPiece, most - have));
        const auto size = read(fd.get(), text.data() + have, text.size() - have);
        text.resize(have + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return system_error("read", file, errno);
        if (size == 0) break;
    }
    return text;
}

Result<> check_readable(const fs::path& file) {
    struct stat info{};
    if (stat(file.c_str(), &info) != 0) return system_error("read", file, errno);
    if (!S_ISDIR(info.st_mode) && file.string().starts_with("/dev/")) return {};
    if (auto ok = check_kind(file, info.st_mode); !ok) return ok;
    if (access(file.c_str(), R_OK) != 0) return system_error("read", file, errno);
    return {};
}

std::string whole_file(const fs::path& file) {
    return read_regular(file, std::numeric_limits<std::size_t>::max()).value_or(std::string());
}

Result<fs::path> behind_links(const fs::path& file) {
    auto path = file;
    std::error_code error;
    for (int links = 0; links < kMostLinks; ++links) {
        if (!fs::is_symlink(path, error)) return path;
        const auto target = fs::read_symlink(path, error);
        if (error) return fail(ErrorCode::storage, fmt::format("cannot read {}: {}", path.string(), error.message()));
        path = target.is_absolute() ? target : path.parent_path() / target;
    }
    return system_error("write", file, ELOOP);
}

}  // namespace tandem
