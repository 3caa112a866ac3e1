#include "engine/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace tandem::engine {

namespace {

// Everything above stderr but one, which closes itself: a listening socket or a client's connection that a child holds
// outlives us. Others' code opens descriptors that are not close-on-exec, so the child sees to it. Only what
// async-signal-safe(7) allows.
void close_all_but(int kept) {
    constexpr unsigned kFirst = STDERR_FILENO + 1, kLast = ~0U;
    const auto after = static_cast<unsigned>(kept) + 1;
    const bool done = (after - 1 == kFirst || syscall(SYS_close_range, kFirst, after - 2, 0) == 0) &&
                      syscall(SYS_close_range, after, kLast, 0) == 0;
    if (done) return;
    // Linux before 5.9.
    rlimit files{};
    const auto most =
        getrlimit(RLIMIT_NOFILE, &files) == 0 ? static_cast<int>(std::min<rlim_t>(files.rlim_cur, 65'536)) : 65'536;
    for (int fd = kFirst; fd < most; ++fd)
        if (fd != kept) close(fd);
}

// Between fork and exec, in a process that had other threads: only what async-signal-safe(7) allows.
[[noreturn]] void become(char* const* arguments, char* const* environment, int log, int report, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // the parent ended before the line above
    setpgid(0, 0);                        // Ctrl-C in a terminal is for Tandem, which then stops it in order
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    const int null = open("/dev/null", O_RDONLY);
    if (null >= 0) dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_all_but(report);
    execve(arguments[0], arguments, environment);
    const int why = errno;
    [[maybe_unused]] const auto written = write(report, &why, sizeof why);
    _exit(127);
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

}  // namespace

Result<Process> Process::start(const Settings& settings) {
    const int log = open(settings.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return fail(Fault::engine_down,
                    fmt::format("cannot write the engine's log {}: {}", settings.log.string(), std::strerror(errno)));
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        close(log);
        return fail(Fault::engine_down, fmt::format("cannot start {}: {}", settings.command[0], std::strerror(errno)));
    }
    auto arguments = pointers(settings.command);
    auto environment = pointers(settings.environment);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) become(arguments.data(), environment.data(), log, report[1], parent);
    const int fork_error = errno;
    close(log);
    close(report[1]);
    int why = 0;
    // Ends with the successful exec, which closes the other side.
    const auto got = pid > 0 ? read(report[0], &why, sizeof why) : 0;
    close(report[0]);
    if (pid < 0)
        return fail(Fault::engine_down,
                    fmt::format("cannot start {}: {}", settings.command[0], std::strerror(fork_error)));
    if (got == static_cast<ssize_t>(sizeof why)) {
        waitpid(pid, nullptr, 0);
        return fail(Fault::engine_down, fmt::format("cannot start {}: {}", settings.command[0], std::strerror(why)));
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
        int status = 0;
        const pid_t done = waitpid(pid_, &status, WNOHANG);
        if (done == 0) return std::nullopt;
        status_ = done == pid_ ? status : 0;
    }
    if (WIFSIGNALED(*status_))
        return fmt::format("was ended by signal {} ({})", WTERMSIG(*status_), strsignal(WTERMSIG(*status_)));
    return fmt::format("ended with code {}", WEXITSTATUS(*status_));
}

bool Process::killed() const {
    return status_ && WIFSIGNALED(*status_) && WTERMSIG(*status_) == SIGKILL;
}

void Process::ask_to_stop() {
    if (pid_ > 0 && !status_) ::kill(-pid_, SIGTERM);
}

void Process::kill() {
    if (pid_ > 0 && !status_) ::kill(-pid_, SIGKILL);
}

Result<std::uint16_t> free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    const bool ok = fd >= 0 && bind(fd, plain, size) == 0 && getsockname(fd, plain, &size) == 0;
    const int why = errno;
    if (fd >= 0) close(fd);
    if (!ok) return fail(Fault::engine_down, fmt::format("no free loopback port: {}", std::strerror(why)));
    return ntohs(address.sin_port);
}

}  // namespace tandem::engine
