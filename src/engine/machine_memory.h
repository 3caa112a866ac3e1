// The memory that a process of this machine may have, and what its CPU makes of weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tandem::engine {

struct MachineMemory {
    std::int64_t total_bytes = 0;   // of the machine, or its cgroup's limit where that is lower; 0: not known
    bool limited = false;           // by a cgroup
    std::int64_t models_bytes = 0;  // what the owner gives all models together (engine.memory); 0: no limit was set
};

// /proc/meminfo, and the limits of the cgroup of this process and of all above it (versions 1 and 2). `root` is "/"
// but in tests.
MachineMemory machine_memory(const std::filesystem::path& root = "/");

// What of a memory models may have, where the owner sets no limit: nine tenths, the rest is for everything else.
constexpr std::int64_t room_for_models(std::int64_t total_bytes) {
    return total_bytes / 10 * 9;
}

// MiB that an engine may keep of prompts that left their slot, where the owner says nothing: a sixteenth of the memory,
// 256 at least and llama-server's own 8,192 at most, which no small machine has to spare. Where the owner limits the
// models' memory, an eighth of that at most, and 32 at least.
std::int64_t prompt_cache_mib(const MachineMemory& memory);

// Types of tensors that llama.cpp copies into another order on this CPU (ggml's repack.cpp), by GGUF name.
std::vector<std::string> repacked_types();

}  // namespace tandem::engine
