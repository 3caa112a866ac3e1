#include "cli/config_file.h"

#include <fmt/format.h>

namespace tandem::cli {

namespace fs = std::filesystem;

fs::path backup_of(const fs::path& file) {
    std::error_code ignored;
    fs::path backup = file.string() + ".old";
    for (int n = 2; fs::exists(backup, ignored); ++n) backup = fmt::format("{}.old.{}", file.string(), n);
    return backup;
}

Result<fs::path> keep_backup(const fs::path& file) {
    std::error_code error;
    auto backup = backup_of(file);
    fs::copy_file(file, backup, error);  // the old config stays in force until the new one is whole
    if (error)
        return fail(ErrorCode::storage,
                    fmt::format("cannot keep {} as {}: {}", file.string(), backup.string(), error.message()));
    return backup;
}

}  // namespace tandem::cli
