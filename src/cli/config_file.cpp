#include "cli/config_file.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

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

Result<> overwrite_config(const fs::path& file, std::string_view text) {
    std::error_code error;
    const auto real = fs::canonical(file, error);
    if (error) return fail(ErrorCode::storage, fmt::format("cannot find {}: {}", file.string(), error.message()));
    return write_file(real, text, protection_of(real));
}

std::string sum_of(std::string_view text) {
    return hex(sha256(text));
}

Result<std::string> text_to_change(const config::Config& config) {
    if (config.source.empty() || !fs::exists(config.source))
        return fail(ErrorCode::not_found, "there is no tandem.yaml to change: `tandem init` writes one");
    auto text = whole_file(config.source);
    if (text != config.text)
        return fail(ErrorCode::invalid,
                    fmt::format("{} is not the config in force: it was changed a moment ago, or is not valid; "
                                "`tandem doctor` says what is wrong with it",
                                config.source.string()));
    return text;
}

Result<config::Config> parsed_change(const Globals& globals, const config::Config& config, const std::string& text) {
    auto parsed = config::parse(text, config.source, globals.environment, config::Missing::left_out);
    if (!parsed)
        return fail(ErrorCode::invalid, fmt::format("the changed config would not be valid, so nothing is written: {}",
                                                    parsed.error().message));
    return parsed;
}

}  // namespace tandem::cli
