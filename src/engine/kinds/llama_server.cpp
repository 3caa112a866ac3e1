// llama.cpp's server, the embedded default.
#include <fmt/format.h>

#include <algorithm>

#include "engine/folder.h"
#include "engine/kind.h"
#include "engine/programs.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

Result<fs::path> program(const Asked& asked) {
    return find_binary(asked.config, asked.settings);
}

Result<fs::path> file(const Asked& asked) {
    return find_model_file(asked.config, asked.model, asked.settings);
}

// Built by packaging/setup.sh, in the version that it names.
bool is_ours(const fs::path& binary, const EnginesSettings& settings) {
    const auto built = settings.cache / "engine";
    if (binary.parent_path() == built) return true;
    const auto programs = Programs::read(settings.data);
    return std::ranges::any_of(programs.all(), [&](const auto& kept) {
        return kept.file == binary && fs::path(kept.from).parent_path() == built;
    });
}

Start start(const Asked& asked, const Starting& starting) {
    Start start;
    const auto& m = asked.model;
    start.command = {starting.program.string(),
                     "--model",
                     starting.file.string(),
                     "--alias",
                     m.name,
                     "--host",
                     starting.socket,
                     "--ctx-size",
                     std::to_string(m.context_tokens * m.slots),
                     "--parallel",
                     std::to_string(m.slots),
                     "--no-webui",
                     "--offline"};
    std::ranges::copy(with_absolute_paths(m.args), std::back_inserter(start.command));
    // In the environment, not among the arguments, which every user of the machine can see.
    start.environment.push_back(fmt::format("LLAMA_API_KEY={}", starting.key.reveal()));
    // llama-server's own bound is 8 GiB. An older one knows no such variable; the owner's own, and `args`, go before
    // it.
    start.usual.push_back(fmt::format("LLAMA_ARG_CACHE_RAM={}", prompt_cache_mib(asked.machine)));
    // The least at which ours says what memory its buffers take; it says nothing of prompts there. What the same number
    // means to another one is not known here.
    if (is_ours(starting.program, asked.settings)) start.usual.emplace_back("LLAMA_ARG_LOG_VERBOSITY=4");
    return start;
}

std::string setup(const Asked& asked) {
    auto setup = fmt::format("{} {}", asked.model.context_tokens, asked.model.slots);
    for (const auto& argument : asked.model.args) setup += "\n" + argument;
    return setup;
}

PlannedMemory planned(const Asked& asked, const fs::path& file) {
    return planned_memory(asked.model, file, asked.machine);
}

std::string hint(std::string_view last_words) {
    if (last_words.find("couldn't bind HTTP server socket") == std::string_view::npos) return {};
    return "it is too old to listen on a UNIX socket: llama-server can since April 2025 (build 5018)";
}

// /health is answered by another thread than those that work; only the loop that makes tokens answers /slots.
Supervision supervision(const Asked&) {
    Supervision supervision;
    supervision.ready = supervision.health = "/health";
    supervision.progress = "/slots";
    return supervision;
}

}  // namespace

extern const EngineKind kLlamaServer;
constinit const EngineKind kLlamaServer = {.provider = "engine",
                                           .program = program,
                                           .file = file,
                                           .start = start,
                                           .setup = setup,
                                           .planned = planned,
                                           .hint = hint,
                                           .supervision = supervision,
                                           .has_versions = true,
                                           .smaller = "lower its `context` or `slots`, take a smaller file"};

}  // namespace tandem::engine
