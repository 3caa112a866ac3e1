#include "cli/config_file.h"

#include <fmt/format.h>

#include "base/file.h"

namespace tandem::cli {

namespace fs = std::filesystem;

fs::path backup_of(const fs::path& file) {
    std::error_code ignored;
    fs::path backup = file.string() + ".old";
    for (int n = 2; fs::exists(backup, ignored); ++n) backup = fmt::format("{}.old.{}", file.string(), n);
    return backup;
}

Result<fs::path> keep_backup(const fs::path& file) {
    constexpr std::size_t kLargestOld = 64UL << 20;  // bytes
    const auto old = read_regular(file, kLargestOld);
    if (!old) return fail(old.error());
    auto backup = backup_of(file);
    // The old config stays in force until the new one is whole.
    if (auto ok = write_file(backup, *old, protection_of(file)); !ok)
        return fail(ok.error().code, fmt::format("what is in {} was not kept, so nothing was changed: {}",
                                                 file.string(), ok.error().message));
    return backup;
}

}  // namespace tandem::cli
