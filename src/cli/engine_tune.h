// `tandem engine tune`. Private to cli/.
#pragma once

#include "cli/cli.h"
#include "engine/tune/tune.h"

namespace tandem::cli {

void add_engine_tune(CLI::App& group, Globals& globals, Action& action);

// What of a model tuning changes in tandem.yaml.
struct TunedKeys {
    std::vector<std::string> args;
    int slots = 1;

    bool operator==(const TunedKeys&) const = default;
};
TunedKeys tuned_keys(const config::Model& model);
// As they are to stand in tandem.yaml: `args: [--threads, "2"]`, one member a line; those that differ from `before`.
std::string yaml_of(const TunedKeys& keys, const TunedKeys& before);

struct TunedConfig {
    std::string file, backup;
};
// Writes it into tandem.yaml, keeps what was there, and notes both, so that it can be undone. Errors: not_found,
// invalid, storage.
Result<TunedConfig> apply_tuning(const Globals& globals, const config::Config& config,
                                 const engine::tune::Report& report);
// Puts back what the last tuning of the model has changed. Gives the exit code.
int undo_tuning(const Globals& globals, const std::string& model);

}  // namespace tandem::cli
