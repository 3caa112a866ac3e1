// How a model is served, as far as its memory goes: what tandem.yaml says of it, and what its engine takes by default.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "engine/gguf.h"
#include "engine/machine_memory.h"
#include "engine/memory_need.h"

namespace tandem::engine {

struct Serving {
    NeedSettings settings;
    std::int64_t prompt_cache = 0;  // bytes that --cache-ram allows besides; -1: without bound
    std::string projector;          // the file of --mmproj; empty: none
    std::string draft;              // the file of --model-draft; empty: none
};

// `model`: of tandem.yaml, or nullptr for what is usual.
Serving serving_of(const config::Model* model, const GgufFacts& facts, const MachineMemory& machine);

// Reads the files of projector and draft, and adds what they take. A relative name is beside the working folder.
// Errors: as read_gguf().
Result<> add_files(const Serving& serving, MemoryNeed& need);

}  // namespace tandem::engine
