// Any server that its owner names: vLLM, SGLang, llamafile, whisper and others. What it does is known by what comes
// from it and by its processor time; what it takes, by the owner's word and then by its processes.
#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/kind.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

Result<fs::path> program(const Asked& asked) {
    const fs::path named = asked.model.command.line.front();
    std::error_code error;
    if (fs::is_regular_file(named, error) && access(named.c_str(), X_OK) == 0) return named;
    return fail(
        Fault::engine_not_found,
        fmt::format("the program of model {}, {}, {}: correct the first element of its `command`", asked.model.id,
                    named.string(), fs::exists(named, error) ? "cannot be executed" : "is not there"));
}

Result<fs::path> file(const Asked& asked) {
    if (asked.model.file.empty()) return fs::path();
    return find_model_file(asked.config, asked.model, asked.settings);
}

Start start(const Asked& asked, const Starting& starting) {
    const auto& model = asked.model;
    const auto value = [&](std::string_view name) -> std::string {
        if (name == "port") return std::to_string(starting.port);
        if (name == "socket") return starting.socket;
        if (name == "model_file") return starting.file.string();
        if (name == "name") return model.name;
        if (name == "context") return std::to_string(model.context_tokens);
        if (name == "slots") return std::to_string(model.slots);
        if (name == "key") return std::string(starting.key.reveal());
        if (name == "folder") return starting.folder.string();
        return {};
    };
    Start start;
    for (const auto& argument : model.command.line) start.command.push_back(config::filled(argument, value));
    for (const auto& variable : model.command.environment) start.environment.push_back(config::filled(variable, value));
    start.reach.runs_programs = true;
    start.reach.listens = model.command.uses("port");
    if (model.command.connects) start.reach.connects = "`connects: true`";
    start.reach.readable.assign(model.command.readable.begin(), model.command.readable.end());
    start.reach.writable.assign(model.command.writable.begin(), model.command.writable.end());
    return start;
}

std::string setup(const Asked& asked) {
    auto setup = fmt::format("{} {}", asked.model.context_tokens, asked.model.slots);
    for (const auto& argument : asked.model.command.line) setup += "\n" + argument;
    for (const auto& variable : asked.model.command.environment) setup += "\n" + variable;
    return setup;
}

// The owner's word; else the size of the file, and a fifth for what is made of a request.
PlannedMemory planned(const Asked& asked, const fs::path& file) {
    PlannedMemory planned;
    planned.memory.file = file.string();
    planned.bytes = static_cast<std::int64_t>(asked.model.command.memory_bytes);
    std::error_code error;
    const auto size = file.empty() ? 0 : fs::file_size(file, error);
    if (planned.bytes == 0 && !error) planned.bytes = static_cast<std::int64_t>(size + size / 5);
    return planned;
}

Supervision supervision(const Asked& asked) {
    const auto& command = asked.model.command;
    return {.ready = command.ready,
            .health = command.health.empty() ? command.ready : command.health,
            .progress = {},
            .stop = command.stop,
            .on_port = command.uses("port"),
            .port = command.port,
            .has_children = true};
}

std::string hint(std::string_view last_words) {
    if (last_words.find("ddress already in use") != std::string_view::npos)
        return "its address is taken: without `port` Tandem takes one that is free";
    if (last_words.find("No module named") != std::string_view::npos)
        return "a package is missing, or lies where its sandbox does not let it read: name the folder in `readable`";
    return {};
}

}  // namespace

extern const EngineKind kCommand;
constinit const EngineKind kCommand = {.provider = "command",
                                       .program = program,
                                       .file = file,
                                       .start = start,
                                       .setup = setup,
                                       .planned = planned,
                                       .hint = hint,
                                       .supervision = supervision,
                                       .smaller = "have its command take less and say so in `memory`"};

}  // namespace tandem::engine
