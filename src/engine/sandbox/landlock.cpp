#include "engine/sandbox/landlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tandem::engine::sandbox {

namespace {

// As linux/landlock.h has them; an older system's header knows only some.
constexpr std::uint64_t bit(int number) {
    return std::uint64_t{1} << number;
}
constexpr auto kExecute = bit(0), kWriteFile = bit(1), kReadFile = bit(2), kReadDir = bit(3), kMakeChar = bit(6),
               kMakeBlock = bit(11), kRefer = bit(13), kTruncate = bit(14), kIoctlDevice = bit(15);
constexpr auto kFirst = bit(13) - 1;  // of version 1
constexpr int kReferSince = 2, kTruncateSince = 3, kNetworkSince = 4, kIoctlSince = 5, kScopeSince = 6;
constexpr std::uint32_t kVersionFlag = 1;
constexpr int kPathBeneath = 1;

struct Attributes {
    std::uint64_t files, network, scope;
};
struct [[gnu::packed]] Beneath {
    std::uint64_t rights;
    std::int32_t parent;
};

std::uint64_t known(int version) {
    auto rights = kFirst;
    if (version >= kReferSince) rights |= kRefer;
    if (version >= kTruncateSince) rights |= kTruncate;
    if (version >= kIoctlSince) rights |= kIoctlDevice;
    return rights;
}

bool add(int ruleset, std::uint64_t rights, int place) {
    const Beneath rule{rights, place};
    return syscall(SYS_landlock_add_rule, ruleset, kPathBeneath, &rule, 0) == 0;
}

}  // namespace

int landlock_version() {
    const auto version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag);
    return version > 0 ? static_cast<int>(version) : 0;
}

std::uint64_t rights_of(May may, bool folder, int version) {
    std::uint64_t rights = 0;
    switch (may) {
        case May::list:
            rights = kReadDir;
            break;
        case May::read:
            rights = kReadFile | kReadDir;
            break;
        case May::run:
            rights = kReadFile | kReadDir | kExecute;
            break;
        case May::note:
            rights = kReadFile | kReadDir | kWriteFile | kTruncate;
            break;
        case May::device:
            rights = kReadFile | kReadDir | kWriteFile | kIoctlDevice;
            break;
        case May::write:
            rights = known(version) & ~(kExecute | kMakeChar | kMakeBlock | kIoctlDevice);
            break;
    }
    if (!folder) rights &= kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDevice;
    return rights & known(version);
}

Result<Ruleset> Ruleset::make(const Policy& policy, int version) {
    Attributes all{known(version), 0, 0};
    std::size_t size = sizeof all.files;
    if (version >= kNetworkSince) {
        all.network = policy.network ? 0 : policy.listens ? 2 : 3;  // bind (1) and connect (2) by TCP
        size = sizeof all.files + sizeof all.network;
    }
    if (version >= kScopeSince) {
        all.scope = policy.network ? 2 : 3;  // abstract UNIX sockets of others; signals to others
        size = sizeof all;
    }
    const auto fd = static_cast<int>(syscall(SYS_landlock_create_ruleset, &all, size, 0));
    if (fd < 0) return fail(Fault::engine_down, fmt::format("landlock_create_ruleset: {}", std::strerror(errno)));
    Ruleset made(fd, version);
    for (const auto& place : policy.places) {
        const Descriptor opened(open(place.path.c_str(), O_PATH | O_CLOEXEC));
        struct stat info{};
        if (opened.get() < 0 || fstat(opened.get(), &info) != 0) continue;  // gone, or not for us to see
        const auto rights = rights_of(place.may, S_ISDIR(info.st_mode), version);
        if (rights != 0 && !add(fd, rights, opened.get()))
            return fail(Fault::engine_down,
                        fmt::format("landlock_add_rule for {}: {}", place.path.string(), std::strerror(errno)));
    }
    return made;
}

Ruleset::~Ruleset() {
    if (fd_ >= 0) close(fd_);
}

bool Ruleset::also(May may, int folder) const {
    return add(fd_, rights_of(may, true, version_), folder);
}

bool Ruleset::restrict_self() const {
    return syscall(SYS_landlock_restrict_self, fd_, 0) == 0;
}

}  // namespace tandem::engine::sandbox
