// What memory a model file takes when it is served, whether this machine has it, and how fast it would write. Private
// to cli/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "config/config.h"
#include "engine/engine_memory.h"
#include "engine/gpus.h"
#include "engine/machine_memory.h"
#include "engine/memory_need.h"
#include "engine/serving.h"
#include "engine/speed.h"

namespace tandem::cli {

// What the command line says; 0 and empty: not said.
struct MemoryWish {
    std::int64_t context = 0, slots = 0;
    std::string cache_type, projector, draft;
};

// What there is to reckon with.
struct Machine {
    engine::MachineMemory memory;
    std::vector<engine::Gpu> gpus;
    engine::Bandwidth bandwidth;  // of memory, measured now
    double reached = 0;           // bytes a second that an engine of this machine has reached; 0: none has run

    // Bytes that an engine may take: nine tenths.
    std::int64_t room() const { return engine::room_for_models(memory.total_bytes); }
    std::int64_t gpu_room() const;  // of the largest GPU; 0: there is none
    // What an engine will read, as far as that is known: `reached`, else the bandwidth, which is more.
    double bytes_per_second() const { return reached > 0 ? reached : bandwidth.bytes_per_second; }
};
// Measures, for a fifth of a second. `data`: where engines left what they reached.
Machine machine_of(const std::filesystem::path& data);

struct MemoryReport {
    engine::Serving serving;
    engine::MemoryNeed need;
    bool of_engine = false;  // its own words stand in `need` in place of the sum
    Machine machine;
    struct Largest {
        std::int64_t slots = 0, context = 0;  // context 0: it does not fit
    };
    std::vector<Largest> largest;
    std::optional<engine::EngineMemory> seen;  // of the last start of the model that is served
    std::int64_t first_bytes = 0;              // that are read for a token at the beginning, and
    std::int64_t full_bytes = 0;               // when its context is full

    bool fits() const { return need.kept() <= machine.room(); }
};

// `served`: the model of tandem.yaml that uses the file, or nullptr. What `wish` does not say is as tandem.yaml has it,
// else as it would be by default. `data`: the config's folder. Errors: invalid (no such cache type), as read_gguf() of
// projector and draft.
Result<MemoryReport> memory_report(const engine::GgufFacts& facts, const config::Model* served, const MemoryWish& wish,
                                   const std::filesystem::path& data);

void print_memory(const MemoryReport& report);
void write_memory(json::Writer& out, const MemoryReport& report);  // members `memory`, `speed` and `after_start`

// "about 12", "3.4": tokens a second, for people.
std::string speed_text(double tokens_per_second);
// "34 GB/s".
std::string bandwidth_text(double bytes_per_second);

}  // namespace tandem::cli
