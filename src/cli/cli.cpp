#include "cli/cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/calendar.h"
#include "base/json.h"
#include "base/text.h"
#include "base/world.h"
#include "cli/running.h"
#include "ledger/reports/question.h"

namespace tandem::cli {

std::filesystem::path Globals::config_path() const {
    return config_file.empty() ? config::default_path(environment) : std::filesystem::path(config_file);
}

Result<config::Config> Globals::load_whole() const {
    return config::load(config_path(), !config_file.empty(), environment);
}

namespace {

bool lacks(const config::Config& config, std::string_view field) {
    return std::ranges::find(config.unresolved, field, &config::Unresolved::field) != config.unresolved.end();
}

// The config in force at a server whose file is gone since it was started. Where no file is there, a command cannot
// know which of the usual ones the server had.
std::optional<config::Config> config_of_a_lost_file(const Globals& globals) {
    std::vector<std::filesystem::path> lost{globals.config_path()};
    if (globals.config_file.empty()) lost.emplace_back("tandem.yaml");
    for (const auto& path : lost) {
        auto running = config_in_force(path, globals.environment);
        if (!running) continue;
        fmt::print(stderr,
                   "tandem: {} is not there any more; the running server has the config that it had: this goes by it\n",
                   path.string());
        return running;
    }
    return {};
}

}  // namespace

Result<config::Config> Globals::load() const {
    const auto path = config_path();
    auto config = config::load(path, !config_file.empty(), environment, config::Missing::left_out);
    if (config && config->source.empty())
        if (auto running = config_of_a_lost_file(*this)) return std::move(*running);
    // Another data folder would be another ledger.
    const bool usable = config && !lacks(*config, "data");
    if (!usable) {
        if (auto running = config_in_force(path, environment)) {
            if (!config)
                fmt::print(stderr, "tandem: {}\ntandem: the running server has a config that works: this goes by it\n",
                           config.error().message);
            return std::move(*running);
        }
        if (!config) return config;
        return load_whole();  // says what is not set
    }
    for (const auto& one : config->unresolved)
        if (!one.secret) fmt::print(stderr, "tandem: {}: {}, so it has its default here\n", one.field, one.missing);
    return config;
}

void add_stakes(CLI::App& command, std::string& target, const std::string& what) {
    auto* const now = command.add_option("--stakes", target, what);
    const auto take = [&target](const std::string& text) {
        fmt::print(stderr, "tandem: --value is now called --stakes\n");
        target = text;
    };
    command.add_option_function<std::string>("--value", take, "")->group("")->excludes(now);
}

int report(const Globals& globals, const Error& error) {
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("error", error.message).member("code", error.code.name()).end_object();
        fmt::print("{}\n", out.text());
    }
    fmt::print(stderr, "tandem: {}\n", error.message);
    switch (error.code) {
        case ErrorCode::not_found:
            return kNotFound;
        case ErrorCode::invalid:
            return kConfig;
        default:
            return kFailed;
    }
}

Result<std::unique_ptr<store::Database>> open_ledger(const config::Config& config) {
    return store::Database::open_to_read(config.data / "ledger.db");
}

Result<std::int64_t> since_from(const std::string& text) {
    if (text.empty()) return 0;
    return ledger::reports::time_from(text, unix_ms(system_clock()->wall()), "--since");
}

}  // namespace tandem::cli
