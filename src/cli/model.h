// What the parts of `tandem model` share. Private to cli/.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "base/json.h"
#include "cli/cli.h"
#include "engine/disk/manifest.h"

namespace tandem::cli {

void add_model_pull(CLI::App& group, Globals& globals, Action& action);
void add_model_show(CLI::App& group, Globals& globals, Action& action);
void add_model_suggest(CLI::App& group, Globals& globals, Action& action);
void add_model_import(CLI::App& group, Globals& globals, Action& action);

// The config that these commands go by. They need its data folder only, so they work while it has no model yet, or is
// wrong elsewhere: stderr says so.
Result<config::Config> config_for_files(const Globals& globals);

// data/models of the config.
std::filesystem::path models_folder(const config::Config& config);

// The file that engines find for the model of tandem.yaml; nullopt: it has none, or it is not there.
std::optional<std::filesystem::path> file_of(const Globals& globals, const config::Config& config,
                                             const config::Model& model);

// "4.1 GB", "96.1 MB", "812 bytes": powers of 1,000.
std::string size_text(std::int64_t bytes);

void write_model(json::Writer& out, const engine::DiskModel& model);

// The models of tandem.yaml that use this file.
std::vector<std::string> users_of(const config::Config& config, const engine::DiskModel& model);

// What answers better than the model that ships, for this machine, with the command that fetches it: a line for who has
// nothing else. Empty: nothing of the list fits.
std::string better_model(const config::Config& config);

// Prints the lines of tandem.yaml that serve the model; with `add` they are written into it, a copy of it kept. Gives
// the exit code.
int print_lines(const Globals& globals, const config::Config& config, const engine::DiskModel& model, bool add);

}  // namespace tandem::cli
