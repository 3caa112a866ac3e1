#include "engine/planned_memory.h"

#include <algorithm>

#include "engine/gguf.h"
#include "engine/memory_need.h"
#include "engine/serving.h"
#include "engine/speed.h"
#include "engine/split.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostPromptCache = 1L << 40;  // bytes, where --cache-ram has no bound

void guess(const GgufFacts& facts, const Serving& serving, PlannedMemory& planned) {
    if (bytes_of_cache_type(serving.settings.keys) == 0 || bytes_of_cache_type(serving.settings.values) == 0) return;
    planned.need = memory_need(facts, serving.settings);
    planned.layers = facts.layers.count;
    if (add_files(serving, planned.need)) planned.memory.guess = planned.need.total();
    planned.memory.bytes_per_token = bytes_per_token(facts, serving.settings, 0);
}

// Of the file, and of the others of a model that is split.
std::int64_t file_bytes(const fs::path& file) {
    std::int64_t bytes = 0;
    for (const auto& part : parts_beside(file)) {
        std::error_code error;
        if (const auto size = fs::file_size(part, error); !error) bytes += static_cast<std::int64_t>(size);
    }
    return bytes;
}

}  // namespace

PlannedMemory planned_memory(const config::Model& model, const fs::path& file, const MachineMemory& machine) {
    PlannedMemory planned;
    planned.memory.file = file.string();
    const auto facts = read_whole_gguf(file);
    const auto serving = serving_of(&model, facts.value_or(GgufFacts{}), machine);
    planned.memory.settings = serving.settings;
    if (facts) guess(*facts, serving, planned);
    planned.bytes = planned.memory.guess;
    if (planned.bytes <= 0) {
        const auto size = file_bytes(file);
        planned.bytes = size + size / 5;
    }
    planned.bytes += serving.prompt_cache < 0 ? kMostPromptCache : std::min(serving.prompt_cache, kMostPromptCache);
    return planned;
}

}  // namespace tandem::engine
