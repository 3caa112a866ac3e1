#include "engine/kind.h"

#include <algorithm>
#include <array>

namespace tandem::engine {

// One line for each kind, which is defined in its file.
#define TANDEM_ENGINE_KINDS(X) \
    X(kLlamaServer)            \
    X(kCommand)

#define TANDEM_DECLARE(kind) extern const EngineKind kind;
TANDEM_ENGINE_KINDS(TANDEM_DECLARE)
#undef TANDEM_DECLARE

const EngineKind* engine_kind(const config::Provider& provider) {
#define TANDEM_LIST(kind) &kind,
    static constexpr auto kKinds = std::to_array<const EngineKind*>({TANDEM_ENGINE_KINDS(TANDEM_LIST)});
#undef TANDEM_LIST
    const auto found = std::ranges::find(kKinds, provider.kind->name, &EngineKind::provider);
    return found == kKinds.end() ? nullptr : *found;
}

Result<std::filesystem::path> find_program(const config::Config& config, const config::Model& model,
                                           const EnginesSettings& settings) {
    const auto* kind = engine_kind(*config.provider(model.provider));
    if (kind == nullptr) return fail(ErrorCode::invalid, model.id + " has no engine here");
    const auto machine = machine_memory();
    return kind->program({config, model, settings, machine});
}

}  // namespace tandem::engine
