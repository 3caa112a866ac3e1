// tandem.yaml as a file that commands write. Private to cli/.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace tandem::cli {

// A copy of the file as the first of FILE.old, FILE.old.2, ... that is free: no backup is lost. Errors: as
// read_regular() and write_file().
Result<std::filesystem::path> keep_backup(const std::filesystem::path& file);
// The name that the next one will have.
std::filesystem::path backup_of(const std::filesystem::path& file);

}  // namespace tandem::cli
