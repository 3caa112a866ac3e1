// Finding the server that runs with a config, also while its file is broken or says less here than it did there.
// Private to cli/.
#pragma once

#include <filesystem>
#include <optional>

#include "cli/cli.h"

namespace tandem::cli {

// Notes for later commands, in a folder that only this user can write, which data folder the server of this config
// file has. Where that cannot be noted, commands go by what the file says.
void note_data_folder(const std::filesystem::path& config, const std::filesystem::path& data,
                      const config::Environment& environment);

// The config in force at the running server of the config file `path`, as far as this process can read its secrets;
// none where no server of this user's answers.
std::optional<config::Config> config_in_force(const std::filesystem::path& path,
                                              const config::Environment& environment);

}  // namespace tandem::cli
