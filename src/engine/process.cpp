#include "engine/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tandem::engine {

namespace {

// Closes the descriptors from `first` to `last`. Only what async-signal-safe(7) allows.
void close_range(unsigned first, unsigned last) {
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0) return;
    // Linux before 5.9.
    rlimit files{};
    constexpr rlim_t kMost = 65'536;
    const auto most =
        static_cast<unsigned>(getrlimit(RLIMIT_NOFILE, &files) == 0 ? std::min(files.rlim_cur, kMost) : kMost);
    for (unsigned fd = first; fd < most && fd <= last; ++fd) close(static_cast<int>(fd));
}

// Everything above stderr but two, which close themselves: a listening socket or a client's connection that a child
// holds outlives us. Others' code opens descriptors that are not close-on-exec, so the child sees to it.
void close_all_but(int one, int other) {
    constexpr int kLastStandard = STDERR_FILENO;
    const int lower = std::max(std::min(one, other), kLastStandard), upper = std::max(one, other);
    close_range(kLastStandard + 1, static_cast<unsigned>(lower) - 1);
    close_range(static_cast<unsigned>(lower) + 1, static_cast<unsigned>(upper) - 1);
    close_range(static_cast<unsigned>(upper) + 1, ~0U);
}

// What a child says of its end. The text is in memory that parent and child have alike.
struct Report {
    sandbox::Layer layer = sandbox::Layer::none;
    const char* step = nullptr;
    int error = 0;
};

struct Child {
    char* const* arguments;
    char* const* environment;
    const char* folder;
    sandbox::Jail* jail;
    int talk;
    int log;
    int report[2];
};

[[noreturn]] void give_up(const Child& child, sandbox::Layer layer, const char* step) {
    const Report report{layer, step, errno};
    [[maybe_unused]] const auto written = write(child.report[1], &report, sizeof report);
    _exit(127);
}

// Whether nobody reads the report any more: the parent ended before the child asked to be told.
bool is_orphan(int report) {
    pollfd pipe{report, 0, 0};
    return poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR) != 0;
}

// Between fork and exec, in a process that had other threads: only what async-signal-safe(7) allows.
[[noreturn]] void become(const Child& child) {
    using sandbox::Layer;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(child.report[0]);
    if (is_orphan(child.report[1])) _exit(127);
    setpgid(0, 0);  // Ctrl-C in a terminal is for Tandem, which then stops it in order
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int input = child.talk >= 0 ? child.talk : open("/dev/null", O_RDONLY);
    if (input >= 0) dup2(input, STDIN_FILENO);
    dup2(child.talk >= 0 ? child.talk : child.log, STDOUT_FILENO);
    dup2(child.log, STDERR_FILENO);
    close_all_but(child.report[1], child.jail != nullptr ? child.jail->kept_file() : -1);
    const char* step = nullptr;
    if (child.jail == nullptr) {
        if (chdir(child.folder) == 0) execve(child.arguments[0], child.arguments, child.environment);
        give_up(child, Layer::none, step);
    }
    if (const auto layer = child.jail->enter_root(step); layer != Layer::none) give_up(child, layer, step);
    if (const auto layer = child.jail->close_files(step); layer != Layer::none) give_up(child, layer, step);
    const auto layer = child.jail->become(child.arguments, child.environment, step);
    give_up(child, layer, step);
}

// As fork(2), with the jail's namespaces. The parent's ids are those of its own namespace.
pid_t start_child(const Child& child) {
    const auto flags = child.jail != nullptr ? child.jail->clone_flags() : 0;
    const auto pid = flags == 0
                         ? fork()
                         : static_cast<pid_t>(syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
    if (pid == 0) become(child);
    return pid;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

}  // namespace

Result<Process> Process::start(const Settings& settings, Trouble* trouble) {
    const int log = open(settings.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return fail(Fault::engine_down,
                    fmt::format("cannot write the engine's log {}: {}", settings.log.string(), std::strerror(errno)));
    auto failed = [&](sandbox::Layer layer, const char* step, int error) {
        auto why =
            fmt::format("{}{}{}", step != nullptr ? step : "", step != nullptr ? ": " : "", std::strerror(error));
        auto message = fmt::format("cannot start {}: {}", settings.command[0], why);
        if (trouble != nullptr) *trouble = {layer, std::move(why)};
        return fail(Fault::engine_down, std::move(message));
    };
    auto arguments = pointers(settings.command);
    auto environment = pointers(settings.environment);
    Child child{arguments.data(), environment.data(), settings.folder.c_str(), settings.jail, settings.talk, log,
                {-1, -1}};
    if (pipe2(child.report, O_CLOEXEC) != 0) {
        const int why = errno;
        close(log);
        return failed(sandbox::Layer::none, nullptr, why);
    }
    const pid_t pid = start_child(child);
    const int fork_error = errno;
    close(log);
    close(child.report[1]);
    Report report;
    // Ends with the successful exec, which closes the other side.
    const auto got = pid > 0 ? read(child.report[0], &report, sizeof report) : 0;
    close(child.report[0]);
    if (pid < 0) {
        const bool in_jail = settings.jail != nullptr && settings.jail->clone_flags() != 0;
        return failed(in_jail ? sandbox::Layer::namespaces : sandbox::Layer::none, in_jail ? "clone" : nullptr,
                      fork_error);
    }
    if (got == static_cast<ssize_t>(sizeof report)) {
        waitpid(pid, nullptr, 0);
        return failed(report.layer, report.step, report.error);
    }
    // Where Tandem is root it may, and the engine, which has no right of root's, may then too.
    if (settings.jail != nullptr && settings.jail->policy().locks_memory) {
        constexpr rlimit kAll{RLIM_INFINITY, RLIM_INFINITY};
        prlimit(pid, RLIMIT_MEMLOCK, &kAll, nullptr);
    }
    return Process(pid);
}

Process::~Process() {
    if (pid_ < 0 || status_) return;
    kill();
    waitpid(pid_, nullptr, 0);
}

std::optional<std::string> Process::ended() {
    if (!status_) {
        siginfo_t about{};
        if (waitid(P_PID, static_cast<id_t>(pid_), &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid == 0)
            return std::nullopt;
        // Until it is waited for, its number is nobody else's, and so is that of its group.
        ::kill(-pid_, SIGKILL);
        int status = 0;
        status_ = waitpid(pid_, &status, 0) == pid_ ? status : 0;
    }
    if (WIFSIGNALED(*status_))
        return fmt::format("was ended by signal {} ({})", WTERMSIG(*status_), strsignal(WTERMSIG(*status_)));
    return fmt::format("ended with code {}", WEXITSTATUS(*status_));
}

bool Process::killed() const {
    return status_ && WIFSIGNALED(*status_) && WTERMSIG(*status_) == SIGKILL;
}

bool Process::told_to_end() const {
    if (!status_ || !WIFSIGNALED(*status_)) return false;
    const int signal = WTERMSIG(*status_);
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

void Process::ask_to_stop() {
    if (pid_ > 0 && !status_) ::kill(-pid_, SIGTERM);
}

void Process::kill() {
    if (pid_ > 0 && !status_) ::kill(-pid_, SIGKILL);
}

}  // namespace tandem::engine
