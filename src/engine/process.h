// A child process that never outlives us: the kernel kills it when the thread that started it ends, however it ends.
// Private to engine/, and to who reads files in its sandbox.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/sandbox/jail.h"

namespace tandem::engine {

class Process {
  public:
    struct Settings {
        std::vector<std::string> command;      // [0] is an absolute path
        std::vector<std::string> environment;  // NAME=value, all of it
        std::filesystem::path log;             // stdout and stderr are added to it
        std::filesystem::path folder;          // its working directory
        sandbox::Jail* jail = nullptr;         // none: as we are
        int talk = -1;  // a descriptor that becomes stdin and stdout; below 0: /dev/null, and the log
    };
    // Why a jail's process did not start: which of its layers could not be had, if it was one.
    struct Trouble {
        sandbox::Layer layer = sandbox::Layer::none;
        std::string why;
    };

    // The calling thread must live as long as the child shall (PR_SET_PDEATHSIG acts on the thread).
    // Errors: unavailable; `trouble` says more, where it is given.
    static Result<Process> start(const Settings& settings, Trouble* trouble = nullptr);

    Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}
    Process& operator=(Process&&) = delete;
    // Kills it at once if it still runs, and waits for its end.
    ~Process();

    pid_t pid() const { return pid_; }
    // How it ended, in words; nothing while it runs. The rest of its group has been killed then.
    std::optional<std::string> ended();
    // Whether it was ended by SIGKILL, and whether by a signal that a program sends and no fault of its own. Only after
    // ended() has said that it was.
    bool killed() const;
    bool told_to_end() const;
    void ask_to_stop();  // SIGTERM to its group
    void kill();         // SIGKILL to its group

  private:
    explicit Process(pid_t pid) : pid_(pid) {}
    pid_t pid_;
    std::optional<int> status_;
};

}  // namespace tandem::engine
