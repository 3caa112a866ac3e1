// What the kernel says of a process: proc(5).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace tandem::engine {

struct ProcessStat {
    std::int64_t resident_bytes = 0;   // now (VmRSS): pages of its own and of files
    std::int64_t peak_bytes = 0;       // the most that was resident (VmHWM)
    std::chrono::milliseconds cpu{0};  // processor time since it began, of all threads
    bool stopped = false;              // by a signal (SIGSTOP)
};

// Nullopt: there is no such process, or not any more. `proc` is /proc but in tests.
std::optional<ProcessStat> process_stat(pid_t pid, const std::filesystem::path& proc = "/proc");

// How many processes the kernel has ended on this machine for want of memory, since it runs. 0 where it does not say.
std::int64_t ended_for_memory(const std::filesystem::path& proc = "/proc");

}  // namespace tandem::engine
