#include "engine/sandbox/jail.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace tandem::engine::sandbox {

namespace {

constexpr rlim_t kLargestFile = rlim_t{1} << 30;  // of logs and compiled kernels
constexpr rlim_t kMostTasks = 4'096;              // threads; counted in the namespace alone
constexpr rlim_t kMostFiles = 65'536;
constexpr int kLastCapability = 63;

void bound(int what, rlim_t most) {
    rlimit limit{};
    if (getrlimit(what, &limit) != 0) return;
    limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
    limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
    setrlimit(what, &limit);
}

// Since Linux 5.14; before, the limit is of all that the user runs anywhere (getrlimit(2)).
bool namespaces_count_tasks() {
    utsname name{};
    int major = 0, minor = 0;
    return uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
           (major > 5 || (major == 5 && minor >= 14));
}

// Root's as those of a namespace; who has none is refused, and has none.
void drop_capabilities() {
    for (int one = 0; one <= kLastCapability; ++one) prctl(PR_CAPBSET_DROP, one);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[2] = {};
    syscall(SYS_capset, &header, none);
}

}  // namespace

std::expected<Jail, Jail::Refused> Jail::make(const Policy& policy, Layers layers, int landlock, Random& random) {
    Jail jail(policy, layers);
    jail.run_ = policy.folder.run().string();
    jail.counts_tasks_ = namespaces_count_tasks();
    if (layers.mounts) {
        auto mounts = Mounts::make(policy);
        if (!mounts) return std::unexpected(Refused{Layer::mounts, mounts.error().message});
        jail.mounts_ = std::move(*mounts);
    }
    if (layers.landlock) {
        auto ruleset = Ruleset::make(policy, landlock);
        if (!ruleset) return std::unexpected(Refused{Layer::landlock, ruleset.error().message});
        jail.ruleset_.emplace(std::move(*ruleset));
    }
    jail.cookie_ = random.next();
    if (layers.calls) jail.filter_ = filter_for(policy, jail.cookie_, layers);
    return jail;
}

// No user is mapped within the namespace. The engine is nobody there, and who it was outside: what a file's mode lets
// Tandem's user do, it may. A map could not be written anyway, since Tandem is not dumpable (user_namespaces(7)).
unsigned long Jail::clone_flags() const {
    if (!layers_.namespaces) return 0;
    const unsigned long mounts = layers_.mounts ? CLONE_NEWNS : 0;
    const unsigned long network = policy_.network || policy_.listens ? 0 : CLONE_NEWNET;
    return CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | network | mounts;
}

Layer Jail::enter_root(const char*& step) {
    if (mounts_) {
        step = mounts_->enter();
        if (step != nullptr) return Layer::mounts;
    }
    bound(RLIMIT_CORE, 0);
    bound(RLIMIT_NOFILE, kMostFiles);
    if (!policy_.large_files) {
        signal(SIGXFSZ, SIG_IGN);  // a log that is full is no reason to die
        bound(RLIMIT_FSIZE, kLargestFile);
    }
    if (layers_.namespaces && counts_tasks_) bound(RLIMIT_NPROC, kMostTasks);
    drop_capabilities();
    step = "chdir";
    return chdir(run_.c_str()) == 0 ? Layer::none : layers_.mounts ? Layer::mounts : Layer::landlock;
}

Layer Jail::close_files(const char*& step) {
    step = "no_new_privs";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Layer::landlock;
    if (!ruleset_) return Layer::none;
    step = "landlock_restrict_self";
    // Its own entry, or all of a /proc that has nobody else. CUDA's driver writes the names of its threads there, and
    // takes it for an error of the system where it cannot. The file stays open, and with that the kernel keeps the
    // entry to which the rules belong.
    const int own = open(mounts_ ? "/proc" : "/proc/self", O_PATH | O_CLOEXEC);
    const int threads = open("/proc/self/task", O_PATH);
    if (own >= 0) ruleset_->also(May::read, own);
    if (threads >= 0) ruleset_->also(May::note, threads);
    return ruleset_->restrict_self() ? Layer::none : Layer::landlock;
}

Layer Jail::become(char* const* arguments, char* const* environment, const char*& step) {
    if (layers_.calls) {
        step = "seccomp";
        for (const auto at : filter_.pid_places) filter_.program[at].k = static_cast<std::uint32_t>(getpid());
        const sock_fprog program{static_cast<unsigned short>(filter_.program.size()), filter_.program.data()};
        // Before Linux 5.16 a filter makes the processor slower, unless this is said; systemd may forbid this call.
        constexpr unsigned kSpeculationAllowed = 1U << 2;
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kSpeculationAllowed, &program) != 0 &&
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
            return Layer::calls;
    }
    step = nullptr;
    if (layers_.calls && !policy_.runs_programs)
        syscall(SYS_execveat, cookie_, policy_.program.c_str(), arguments, environment, 0);
    else
        execve(policy_.program.c_str(), arguments, environment);
    return Layer::none;
}

Held held_by(const Policy& policy, Layers layers) {
    Held held;
    held.wanted = true;
    held.by = layers;
    held.files = layers.mounts || layers.landlock;
    // A socket's path leads out of an empty network namespace, unless the path is not there.
    held.network = !policy.network && (layers.calls || (layers.namespaces && layers.mounts && !policy.listens));
    held.processes = held.files && (layers.namespaces || layers.calls);
    held.calls = layers.calls;
    return held;
}

}  // namespace tandem::engine::sandbox
