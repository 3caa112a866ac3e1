#include "engine/planned_memory.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "engine/gguf.h"
#include "engine/memory_need.h"

namespace tandem::engine {

namespace {

// The value of the last of these options among the arguments of an engine.
std::optional<std::string> argument(const std::vector<std::string>& args, std::string_view name,
                                    std::string_view short_name) {
    std::optional<std::string> value;
    for (std::size_t i = 0; i + 1 < args.size(); ++i)
        if (args[i] == name || args[i] == short_name) value = args[i + 1];
    return value;
}

}  // namespace

Result<PlannedMemory> planned_memory(const std::filesystem::path& file, const config::Model& model,
                                     const MachineMemory& machine) {
    const auto facts = read_gguf(file);
    if (!facts) return fail(facts.error());
    NeedSettings settings{model.context_tokens, model.slots};
    settings.repacked = repacked_types();
    if (auto type = argument(model.args, "--cache-type-k", "-ctk")) settings.keys = std::move(*type);
    if (auto type = argument(model.args, "--cache-type-v", "-ctv")) settings.values = std::move(*type);
    for (auto* type : {&settings.keys, &settings.values})
        if (bytes_of_cache_type(*type) == 0) *type = "f16";
    PlannedMemory planned;
    std::int64_t mib = prompt_cache_mib(machine);
    if (const auto text = argument(model.args, "--cache-ram", "-cram"))
        std::from_chars(text->data(), text->data() + text->size(), mib);
    planned.prompt_cache = std::clamp<std::int64_t>(mib, 0, 1L << 20) << 20;
    const auto need = memory_need(*facts, settings);
    std::error_code ignored;
    const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file, ignored));
    planned.guessed = need.weights <= 0;
    planned.bytes = (planned.guessed ? size + size / 5 : need.total()) + planned.prompt_cache;
    return planned;
}

std::int64_t memory_for_engines(const MachineMemory& machine) {
    return machine.total_bytes / 10 * 9;
}

}  // namespace tandem::engine
