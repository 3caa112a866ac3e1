#include "engine/sandbox/mounts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace tandem::engine::sandbox {

namespace fs = std::filesystem;

namespace {

// A mount keeps what its source has been denied: taking that away is refused (mount_namespaces(7)).
unsigned long kept_flags(const std::string& path) {
    struct statvfs info{};
    if (statvfs(path.c_str(), &info) != 0) return 0;
    unsigned long flags = 0;
    if ((info.f_flag & ST_RDONLY) != 0) flags |= MS_RDONLY;
    if ((info.f_flag & ST_NODEV) != 0) flags |= MS_NODEV;
    if ((info.f_flag & ST_NOEXEC) != 0) flags |= MS_NOEXEC;
    if ((info.f_flag & ST_NOATIME) != 0) flags |= MS_NOATIME;
    if ((info.f_flag & ST_NODIRATIME) != 0) flags |= MS_NODIRATIME;
    if ((info.f_flag & ST_RELATIME) != 0) flags |= MS_RELATIME;
    return flags;
}

bool is_below(const fs::path& path, const fs::path& folder) {
    const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return end == folder.end();
}

// Its own /proc has all of that.
bool is_of_proc(const fs::path& path) {
    return is_below(path, "/proc");
}

bool make_point(const fs::path& at, bool folder) {
    std::error_code error;
    fs::create_directories(folder ? at : at.parent_path(), error);
    if (!folder && !fs::exists(at, error)) std::ofstream(at).flush();
    return fs::exists(at, error);
}

}  // namespace

Result<Mounts> Mounts::make(const Policy& policy) {
    Mounts made;
    const auto root = policy.folder.skeleton();
    made.root_ = root.string();
    made.proc_ = (root / "proc").string();
    for (const auto* name : {"acpi", "bus", "driver", "fs", "irq", "scsi", "sys", "sysrq-trigger"})
        made.shared_.push_back(made.proc_ + "/" + name);
    made.root_flags_ = kept_flags(made.root_) | MS_NOSUID | MS_NODEV;
    std::error_code error;
    fs::create_directories(made.proc_, error);
    // Folders before what lies in them, which is then there already, unless it may be more.
    auto places = policy.places;
    places.push_back({policy.program, May::run});
    std::ranges::sort(places, {}, [](const Place& place) {
        return std::pair(std::distance(place.path.begin(), place.path.end()), place.path);
    });
    std::vector<fs::path> inside;
    for (const auto& place : places) {
        if (place.may == May::list || is_of_proc(place.path)) continue;
        const bool writes = place.may == May::write || place.may == May::device;
        const bool there =
            std::ranges::any_of(inside, [&](const fs::path& folder) { return is_below(place.path, folder); });
        // A link in a folder that is there may lead out of it.
        auto at = there ? fs::canonical(place.path, error) : place.path;
        if (error) continue;
        const bool also = std::ranges::any_of(inside, [&](const fs::path& folder) { return is_below(at, folder); });
        if (also && !writes) continue;
        const bool folder = fs::is_directory(place.path, error);
        const auto to = root / at.relative_path();
        if (!also && !make_point(to, folder))
            return fail(Fault::engine_down, fmt::format("cannot make the mount point {}", to.string()));
        const auto source = place.path.string();
        auto flags = kept_flags(source) | MS_NOSUID;
        if (!writes) flags |= MS_RDONLY;
        if (place.may != May::device) flags |= MS_NODEV;
        made.binds_.push_back({source, to.string(), flags});
        if (folder) inside.push_back(at);
    }
    return made;
}

const char* Mounts::enter() const {
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "mount of /";
    if (mount(root_.c_str(), root_.c_str(), nullptr, MS_BIND, nullptr) != 0) return "mount of a root";
    for (const auto& bind : binds_) {
        if (mount(bind.from.c_str(), bind.to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
            return bind.from.c_str();
        if (mount(nullptr, bind.to.c_str(), nullptr, MS_REMOUNT | MS_BIND | bind.flags, nullptr) != 0)
            return bind.from.c_str();
    }
    constexpr unsigned long kOfProc = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount("proc", proc_.c_str(), "proc", kOfProc, nullptr) != 0) return "mount of /proc";
    // What is not about processes is the whole machine's, and root's to write where Tandem is root.
    for (const auto& path : shared_)
        if (access(path.c_str(), F_OK) == 0 &&
            (mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
             mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kOfProc, nullptr) != 0))
            return path.c_str();
    // The root itself is what its file system was, read-only.
    if (mount(nullptr, root_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | root_flags_, nullptr) != 0)
        return "mount of a root";
    if (chdir(root_.c_str()) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 ||
        chdir("/") != 0)
        return "pivot_root";
    return nullptr;
}

}  // namespace tandem::engine::sandbox
