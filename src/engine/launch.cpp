// The start of an engine's process: where it listens, what its environment has, what holds it.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "engine/process_tree.h"
#include "engine/state.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kLargestLog = 8 * 1024 * 1024;
constexpr std::size_t kLargestMark = 100;  // bytes
constexpr std::string_view kMark = "TANDEM_ENGINE=";

// Secrets of the owner's environment are not the engine's business, nor is where the owner's session is.
bool may_inherit(std::string_view variable) {
    const auto name = lower(variable.substr(0, variable.find('=')));
    for (const auto* word : {"key", "token", "secret", "pass", "pwd", "credential", "auth", "_pat", "dsn"})
        if (name.find(word) != std::string::npos) return false;
    for (const auto* place : {"xdg_", "dbus_", "ssh_"})
        if (name.starts_with(place)) return false;
    // An address with a password in it: "postgres://user:word@host".
    const auto value = variable.substr(std::min(variable.size(), variable.find('=') + 1));
    const auto scheme = value.find("://"), at = value.find('@');
    if (scheme != std::string_view::npos && at != std::string_view::npos && at > scheme) return false;
    return name != "home" && name != "tmpdir" && name != "pwd" && name != "oldpwd";
}

std::string_view name_of(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

// Of two with one name the first counts, so each name is taken once.
// The key of a provider, whatever its variable is called.
bool is_key(const config::Config& config, std::string_view variable) {
    const auto value = variable.substr(std::min(variable.size(), variable.find('=') + 1));
    return !value.empty() && std::ranges::any_of(config.providers, [&](const config::Provider& provider) {
        return std::ranges::any_of(provider.api_keys, [&](const auto& key) { return key && key->reveal() == value; });
    });
}

std::vector<std::string> environment_of(Start made, const EngineFolder& folder, const std::string& mark,
                                        const config::Config& config) {
    auto all = std::move(made.environment);
    const auto add = [&](std::string variable) {
        const auto same = [&](const std::string& other) { return name_of(other) == name_of(variable); };
        if (std::ranges::none_of(all, same)) all.push_back(std::move(variable));
    };
    add("HOME=" + folder.home().string());
    add("TMPDIR=" + folder.temporary().string());
    add(mark);
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (may_inherit(*variable) && !is_key(config, *variable)) add(*variable);
    for (auto& variable : made.usual) add(std::move(variable));
    return all;
}

void rotate(const fs::path& log) {
    std::error_code ignored;
    if (fs::exists(log, ignored) && fs::file_size(log, ignored) > kLargestLog)
        fs::rename(log, log.string() + ".1", ignored);
}

// Where the mark of the run is kept, so that what a killed Tandem left is found.
fs::path mark_file(const EngineFolder& folder) {
    return folder.root / "running";
}

}  // namespace

// What a killed Tandem left is ended first: it would hold memory that nobody counts.
Result<Starting> Engines::State::prepare(Engine& engine, const EngineFolder& folder, const Secret& key) {
    const auto program = program_of(engine);
    if (!program) return fail(program.error());
    const auto file = engine.kind->file(asked(engine));
    if (!file) return fail(file.error());
    if (const auto left = read_regular(mark_file(folder), kLargestMark);
        left && left->starts_with(kMark) && !has_twin(engine))
        if (const int ended = kill_marked(*left); ended > 0)
            spdlog::warn("engine {}: {} processes that an earlier Tandem left were ended", engine.model.id, ended);
    engine.supervision = engine.kind->supervision(asked(engine));
    engine.mark = std::string(kMark) + random_hex(random, 32);
    if (engine.supervision.has_children)
        if (auto ok = write_private_file(mark_file(folder), engine.mark); !ok) return fail(ok.error());
    int port = engine.supervision.port;
    if (engine.supervision.on_port && port == 0) {
        const auto free = free_port(random);
        if (!free) return fail(free.error());
        port = *free;
    }
    engine.port = EnginePort(port);
    return Starting{*program, *file, folder.run(), {}, port, key, {}};
}

void Engines::State::clear_away(Engine& engine) {
    if (!engine.supervision.has_children) return;
    if (const int ended = kill_marked(engine.mark); ended > 0)
        spdlog::warn("engine {}: {} of its processes had left its group, and were ended", engine.model.id, ended);
    const auto folder = make_engine_folder(settings.data, engine.model.id);
    if (!folder || read_regular(mark_file(*folder), kLargestMark).value_or("") != engine.mark) return;
    std::error_code ignored;
    fs::remove(mark_file(*folder), ignored);
}

bool Engines::State::has_twin(const Engine& engine) const {
    return std::ranges::any_of(by_slot, [&](const auto& one) {
        return one.second.get() != &engine && one.second->running && one.second->model.id == engine.model.id;
    });
}

Result<Process> Engines::State::launch(Engine& engine) {
    const auto folder = make_engine_folder(settings.data, engine.model.id);
    if (!folder) return fail(folder.error());
    auto key = std::make_shared<const Secret>(random_hex(random, 48));
    auto starting = prepare(engine, *folder, *key);
    if (!starting) return fail(starting.error());
    if (!has_twin(engine)) remove_sockets(*folder);
    auto address = new_address(*folder, random);
    if (!address) return fail(address.error());
    starting->socket = address->name;
    std::error_code ignored;
    rotate(engine.log);
    engine.log_begin = fs::exists(engine.log, ignored) ? fs::file_size(engine.log, ignored) : 0;
    if (engine.config->engine_prompts > 0) starting->prompts = folder->prompts();
    auto made = engine.kind->start(asked(engine), *starting);
    engine.prompts = made.keeps_prompts ? folder->prompts() : fs::path();
    if (!made.keeps_prompts) PromptFolders::in(folder->prompts(), "");
    Process::Settings start;
    start.command = std::move(made.command);
    start.log = engine.log;
    start.folder = folder->run();
    const auto reach = std::move(made.reach);
    start.environment = environment_of(std::move(made), *folder, engine.mark, *engine.config);
    auto confined = confine(engine, start, *folder, reach);
    if (!confined) return fail(confined.error());
    const std::lock_guard lock(mutex);
    if (!engine.supervision.on_port) {
        engine.address = std::move(address->address);
        engine.shown.socket = folder->run() / address->name;
    }
    engine.shown.port = engine.port.number();
    engine.shown.sandbox = std::move(confined->held);
    engine.shown.pid = confined->process.pid();
    engine.key = std::move(key);
    engine.shown.memory = engine.guess.memory;
    ++engine.shown.loads;
    return std::move(confined->process);
}

// In its sandbox, as the config wants it. What of it could not be had is logged once.
Result<sandbox::Confined> Engines::State::confine(Engine& engine, const Process::Settings& start,
                                                  const EngineFolder& folder, const Reach& reach) {
    const auto& config = *engine.config;
    sandbox::Wish wish{start.command[0], {start.command.begin() + 1, start.command.end()}, start.environment,
                       folder,           {folder.root.parent_path().parent_path()},        {}};
    if (const auto home = settings.environment("HOME")) wish.kept_closed.emplace_back(*home);
    wish.readable.assign(config.engine_readable.begin(), config.engine_readable.end());
    std::ranges::copy(reach.readable, std::back_inserter(wish.readable));
    wish.writable = reach.writable;
    wish.runs_programs = reach.runs_programs;
    wish.listens = reach.listens;
    wish.connects = reach.connects;
    const auto policy = sandbox::policy_for(wish);
    if (!policy) return fail(policy.error());
    auto confined = sandbox::start(start, *policy, config.engine_sandbox, random);
    if (!confined || !confined->held.wanted) return confined;
    const auto missing = join(confined->held.missing, "; ");
    if (!missing.empty() && std::exchange(engine.told_missing, missing) != missing)
        spdlog::warn("the sandbox of engine {} holds {}; it is without {}", engine.model.id,
                     sandbox::words(confined->held), missing);
    return confined;
}

}  // namespace tandem::engine
