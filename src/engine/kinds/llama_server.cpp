// llama.cpp's server, the embedded default.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/folder.h"
#include "engine/kind.h"
#include "engine/programs.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kMostSlots = 1'024;
constexpr std::int64_t kMostTokens = 1LL << 32;
constexpr std::int64_t kMostWritten = 1LL << 50;

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
    // The owner's folder is the owner's.
    const bool has_folder = std::ranges::any_of(
        m.args, [](const std::string& argument) { return argument.starts_with("--slot-save-path"); });
    if (!starting.prompts.empty() && !has_folder) {
        start.command.insert(start.command.end(), {"--slot-save-path", starting.prompts.string()});
        start.keeps_prompts = true;
    }
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
    auto setup =
        fmt::format("{} {} {}", asked.model.context_tokens, asked.model.slots, prompt_cache_mib(asked.machine));
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

std::vector<PromptStore::Slot> idle_slots(std::string_view answer) {
    std::vector<PromptStore::Slot> slots;
    json::Document document;
    if (!document.parse(answer)) return slots;
    for (const auto slot : document.root().children()) {
        const auto id = slot["id"].integer().value_or(-1);
        if (id < 0 || id >= kMostSlots || slot["is_processing"].boolean().value_or(true)) continue;
        const auto tokens = std::clamp<std::int64_t>(slot["n_prompt_tokens"].integer().value_or(0), 0, kMostTokens);
        slots.push_back({static_cast<int>(id), tokens});
    }
    return slots;
}

std::string save_path(int slot) {
    return fmt::format("/slots/{}?action=save", slot);
}

std::string restore_path(int slot) {
    return fmt::format("/slots/{}?action=restore", slot);
}

std::string file_body(std::string_view name) {
    return fmt::format(R"({{"filename":{}}})", json::quoted(name));
}

std::int64_t written(std::string_view answer) {
    json::Document document;
    if (!document.parse(answer)) return 0;
    return std::clamp<std::int64_t>(document.root()["n_written"].integer().value_or(0), 0, kMostWritten);
}

constexpr PromptStore kPrompts = {.list = "/slots",
                                  .slots = idle_slots,
                                  .save = save_path,
                                  .restore = restore_path,
                                  .file = file_body,
                                  .written = written};

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
                                           .smaller = "lower its `context` or `slots`, take a smaller file",
                                           .prompts = &kPrompts};

}  // namespace tandem::engine
