// What memory a model file takes when it is served, and whether this machine has it. Private to cli/.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "config/config.h"
#include "engine/machine_memory.h"
#include "engine/memory_need.h"

namespace tandem::cli {

// What the command line says; 0 and empty: not said.
struct MemoryWish {
    std::int64_t context = 0, slots = 0;
    std::string cache_type;
};

struct MemoryReport {
    engine::NeedSettings settings;
    engine::MemoryNeed need;
    engine::MachineMemory machine;
    std::int64_t room = 0;          // bytes of it that an engine may take: nine tenths
    std::int64_t prompt_cache = 0;  // bytes that --cache-ram allows besides; -1: without bound
    struct Largest {
        std::int64_t slots = 0, context = 0;  // context 0: it does not fit
    };
    std::vector<Largest> largest;

    bool fits() const { return need.kept() <= room; }
};

// `served`: the model of tandem.yaml that uses the file, or nullptr. What `wish` does not say is as tandem.yaml has it,
// else as it would be by default. Errors: invalid (no such cache type).
Result<MemoryReport> memory_report(const engine::GgufFacts& facts, const config::Model* served, const MemoryWish& wish);

void print_memory(const MemoryReport& report);
void write_memory(json::Writer& out, const MemoryReport& report);  // a member `memory`

}  // namespace tandem::cli
