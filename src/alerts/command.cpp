#include "alerts/command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/text.h"

namespace tandem::alerts {

namespace {

std::string variable(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return fmt::format("{}={}", name, value != nullptr ? value : otherwise);
}

// A file without a name that holds the input: unlike a pipe, nobody has to read it.
int file_of(const std::string& input) {
    const int file = memfd_create("alert", MFD_CLOEXEC);
    if (file < 0) return -1;
    if (write(file, input.data(), input.size()) != static_cast<ssize_t>(input.size()) ||
        lseek(file, 0, SEEK_SET) != 0) {
        close(file);
        return -1;
    }
    return file;
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return fmt::format("was ended by signal {}", WTERMSIG(status));
    return fmt::format("ended with {}", WEXITSTATUS(status));
}

}  // namespace

Result<> run_command(const std::vector<std::string>& command, const std::string& input, const std::string& text,
                     milliseconds longest) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::array<std::string, 3> variables = {variable("PATH", "/usr/local/bin:/usr/bin:/bin"), variable("HOME", "/"),
                                            "TANDEM_ALERT_TEXT=" + text};
    std::array<char*, 4> environment = {variables[0].data(), variables[1].data(), variables[2].data(), nullptr};
    const int stdin_file = file_of(input);
    if (stdin_file < 0)
        return fail(ErrorCode::unavailable, fmt::format("no memory for its input: {}", strerror(errno)));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, stdin_file, STDIN_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    pid_t child = -1;
    const int failed =
        posix_spawn(&child, command.front().c_str(), &actions, &attributes, arguments.data(), environment.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(stdin_file);
    if (failed != 0)
        return fail(ErrorCode::unavailable,
                    fmt::format("{} does not start: {}", printable(command.front(), 200), strerror(failed)));
    const auto end = std::chrono::steady_clock::now() + longest;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() >= end) {
            kill(-child, SIGKILL);
            waitpid(child, &status, 0);
            return fail(ErrorCode::unavailable, fmt::format("{} took longer than {} s and was killed",
                                                            printable(command.front(), 200), longest.count() / 1000));
        }
        std::this_thread::sleep_for(milliseconds(20));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fail(ErrorCode::unavailable, fmt::format("{} {}", printable(command.front(), 200), how_it_ended(status)));
}

}  // namespace tandem::alerts
