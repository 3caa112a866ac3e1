// What memory an engine is counted at before it has run: the estimate of its file's header, and what it may keep of
// prompts besides.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"
#include "config/config.h"
#include "engine/machine_memory.h"

namespace tandem::engine {

struct PlannedMemory {
    std::int64_t bytes = 0;         // resident at its peak, with its prompts
    std::int64_t prompt_cache = 0;  // of those: what it may keep of prompts that left their slot
    bool guessed = false;           // the header says too little: the file's size and a fifth
};

// Errors: as read_gguf().
Result<PlannedMemory> planned_memory(const std::filesystem::path& file, const config::Model& model,
                                     const MachineMemory& machine);

// Where the owner sets no limit: nine tenths of the machine's memory, or of its cgroup's.
std::int64_t memory_for_engines(const MachineMemory& machine);

}  // namespace tandem::engine
