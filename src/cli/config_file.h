// tandem.yaml as a file that commands write. Private to cli/.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/cli.h"

namespace tandem::cli {

// A copy of the file as the first of FILE.old, FILE.old.2, ... that is free: no backup is lost. Errors: as
// read_regular() and write_file().
Result<std::filesystem::path> keep_backup(const std::filesystem::path& file);
// The name that the next one will have.
std::filesystem::path backup_of(const std::filesystem::path& file);
// Writes the config over itself: whole, through a link, and as readable for others as it was. Errors: storage.
Result<> overwrite_config(const std::filesystem::path& file, std::string_view text);
// What a file is known by: its SHA-256, in hex.
std::string sum_of(std::string_view text);

// The file of the config in force, as it is written. Errors: not_found, where there is none; invalid, where it is not
// the one in force.
Result<std::string> text_to_change(const config::Config& config);
// What a changed text says. Errors: invalid, where it would not be valid.
Result<config::Config> parsed_change(const Globals& globals, const config::Config& config, const std::string& text);

}  // namespace tandem::cli
