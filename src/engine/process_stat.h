// What the kernel says of a process: proc(5).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "engine/engine_memory.h"

namespace tandem::engine {

struct ProcessStat {
    Resident memory;
    std::chrono::milliseconds cpu{0};  // processor time since it began, of all threads
    bool stopped = false;              // by a signal (SIGSTOP)
};

// Nullopt: there is no such process, or not any more. `root` is "/" but in tests.
std::optional<ProcessStat> process_stat(pid_t pid, const std::filesystem::path& root = "/");

// How many processes the kernel has ended on this machine for want of memory, since it runs. 0 where it does not say.
std::int64_t ended_for_memory(const std::filesystem::path& root = "/");

}  // namespace tandem::engine
