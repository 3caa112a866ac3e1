// What memory an engine is counted at before it has run: the estimate of its file's header, and what it may keep of
// prompts besides.
#pragma once

#include <cstdint>
#include <filesystem>

#include "config/config.h"
#include "engine/engine_memory.h"
#include "engine/machine_memory.h"

namespace tandem::engine {

struct PlannedMemory {
    MemoryNeed need;  // all 0 where the header says too little
    std::int64_t layers = 0;
    EngineMemory memory;     // `guess` is 0 where the header says too little
    std::int64_t bytes = 0;  // resident at its peak with its prompts; by the file's size where there is no guess
};

PlannedMemory planned_memory(const config::Model& model, const std::filesystem::path& file,
                             const MachineMemory& machine);

}  // namespace tandem::engine
