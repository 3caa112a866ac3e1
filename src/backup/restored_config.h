// The config in an archive: what of it is written at its place and beside it. Private to backup/.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "backup/restore.h"
#include "base/result.h"

namespace tandem::backup {

// In the journal of a restore: where the config goes. Without this file it goes nowhere.
inline constexpr std::string_view kConfigPath = "config-path";

struct ConfigFile {
    std::string name;  // "tandem.yaml", or that of a file which it reads
    std::string text;
};

// What lies in the folder, tandem.yaml first: plain files whose names do not begin with a dot. Errors: invalid,
// storage.
Result<std::vector<ConfigFile>> read_config(const std::filesystem::path& folder);

// What of an archive's unpacked config/ goes to the place of the config and beside it. Errors: invalid, for any other
// file in it.
Result<std::vector<ConfigFile>> config_of(const std::filesystem::path& folder, const Target& target);

// Before anything changes: whether the files can be written where they belong, as far as permissions say it. Errors:
// storage.
Result<> check_place(const std::vector<ConfigFile>& files, const std::filesystem::path& config);

// Writes the files, and gives their names, tandem.yaml's first. Where one is there with another text, the new one has
// the first of NAME.from-backup, NAME.from-backup.2, ... that is free. Done twice, it changes nothing more. Errors:
// storage.
Result<std::vector<std::filesystem::path>> place_config(const std::vector<ConfigFile>& files,
                                                        const std::filesystem::path& config,
                                                        const std::filesystem::path& data);

// Places the config of a restore that was cut off, whose journal is the folder `journal`. Gives what is left for the
// owner to do, or an empty text: the config is kept in the data folder where it cannot be placed, or where the data
// folder is another user's, who could have put it there. Errors: storage.
Result<std::string> place_left_config(const std::filesystem::path& data, const std::filesystem::path& journal);

}  // namespace tandem::backup
