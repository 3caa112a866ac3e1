// What this machine has for models: its CPU, its memory, its GPUs. Read from /proc, /sys and the drivers; nothing is
// measured and nothing is started.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gpus.h"
#include "engine/machine_memory.h"

namespace tandem::engine {

struct Cpu {
    std::string name;                        // printable; empty: not said
    std::string_view architecture;           // "x86-64", "arm64", "other"
    std::vector<std::string_view> features;  // of those that engines use, by the names of /proc/cpuinfo
    int threads = 0;                         // logical CPUs that are online
    int cores = 0;                           // physical ones among them
    int sockets = 0;
    int nodes = 0;                 // of memory (NUMA)
    int usable = 0;                // logical CPUs that this process may run on
    double quota = 0;              // CPUs' worth of time that its cgroup grants; 0: no limit
    std::int64_t last_cache = 0;   // bytes of the largest cache that cores share
    bool usable_is_known = false;  // false: `usable` is `threads`
};

struct Hardware {
    Cpu cpu;
    MachineMemory memory;
    std::int64_t available_bytes = 0;  // of the memory, that programs could have now (MemAvailable); 0: not known
    std::vector<Gpu> gpus;
};

// `root` is "/" but in tests, which have no process of their own there: then `usable` is not known.
Hardware hardware(const std::filesystem::path& root = "/");

}  // namespace tandem::engine
