#include "backup/restored_config.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace tandem::backup {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kConfigName = "tandem.yaml";  // of the config in the archive
constexpr std::string_view kKeptConfig = "restore.kept-config";
constexpr std::size_t kLargestConfigFile = 16UL << 20;  // bytes

std::unexpected<Error> storage(std::string_view what, const fs::path& file, std::string_view why) {
    return fail(ErrorCode::storage, fmt::format("cannot {} {}: {}", what, file.string(), why));
}

std::unexpected<Error> not_of_config(std::string_view name) {
    return fail(ErrorCode::invalid,
                fmt::format("'config/{}' in the archive is no file that its config reads, so nothing was restored; "
                            "--without-config restores the data alone",
                            printable(name)));
}

}  // namespace

Result<std::vector<ConfigFile>> read_config(const fs::path& folder) {
    std::error_code error;
    std::vector<ConfigFile> files;
    if (!fs::exists(folder, error)) return files;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const auto name = entry.path().filename().string();
        if (name.starts_with('.') || !fs::is_regular_file(entry.symlink_status(error))) return not_of_config(name);
        auto text = read_regular(entry.path(), kLargestConfigFile + 1);
        if (!text) return fail(text.error());
        if (text->size() > kLargestConfigFile)
            return fail(ErrorCode::invalid, fmt::format("'config/{}' in the archive is too large", printable(name)));
        files.push_back({name, std::move(*text)});
    }
    if (error) return storage("read", folder, error.message());
    std::ranges::sort(files, {}, [](const ConfigFile& file) { return std::pair(file.name != kConfigName, file.name); });
    return files;
}

Result<std::vector<ConfigFile>> config_of(const fs::path& folder, const Target& target) {
    if (target.config.empty()) return std::vector<ConfigFile>();
    auto files = read_config(folder);
    if (!files || files->empty()) return files;
    if (files->front().name != kConfigName) return not_of_config(files->front().name);
    if (files->size() == 1) return files;
    const auto named = target.files_named(files->front().text);
    if (!named)
        return fail(ErrorCode::invalid,
                    fmt::format("the archive's config is wrong, so which of the files in config/ it reads is not "
                                "known; --without-config restores the data alone. {}",
                                named.error().message));
    for (std::size_t i = 1; i < files->size(); ++i)
        if (std::ranges::find(*named, (*files)[i].name) == named->end()) return not_of_config((*files)[i].name);
    return files;
}

namespace {

// As the package has it: a service reads its config by its group, and cannot change it.
Protection protection_for_service(const fs::path& data) {
    struct stat info{};
    if (geteuid() != 0 || stat(data.c_str(), &info) != 0 || info.st_uid == 0) return {};
    return {0640, 0, info.st_gid};
}

// Two configs are the owner's to compare: where another file has the name, the first of NAME.from-backup,
// NAME.from-backup.2, ... that is free. A file that is there with this text stays. Gives its name.
Result<fs::path> place_file(const fs::path& wanted, const std::string& text, const Protection& protection) {
    std::error_code ignored;
    auto target = wanted;
    for (int n = 1; fs::exists(fs::symlink_status(target, ignored)); ++n) {
        if (const auto there = read_regular(target, kLargestConfigFile + 1); there && *there == text) return target;
        target = wanted.string() + (n == 1 ? ".from-backup" : fmt::format(".from-backup.{}", n));
    }
    if (auto ok = write_file(target, text, protection); !ok) return fail(ok.error());
    return target;
}

fs::path place_of(const ConfigFile& file, const fs::path& config) {
    return file.name == kConfigName ? config : config.parent_path() / file.name;
}

}  // namespace

Result<> check_place(const std::vector<ConfigFile>& files, const fs::path& config) {
    const auto is_there = [&](const ConfigFile& file) {
        const auto text = read_regular(place_of(file, config), kLargestConfigFile + 1);
        return text && *text == file.text;
    };
    if (std::ranges::all_of(files, is_there)) return {};
    std::error_code ignored;
    auto folder = config.parent_path();
    while (folder.has_relative_path() && !fs::exists(folder, ignored)) folder = folder.parent_path();
    if (access(folder.c_str(), W_OK | X_OK) == 0) return {};
    return fail(ErrorCode::storage,
                fmt::format("the archive's config cannot be written to {}: {}; nothing was restored. "
                            "--config names another place, --without-config restores the data alone",
                            config.string(), std::strerror(errno)));
}

Result<std::vector<fs::path>> place_config(const std::vector<ConfigFile>& files, const fs::path& config,
                                           const fs::path& data) {
    std::vector<fs::path> placed;
    if (files.empty()) return placed;
    const auto protection = protection_for_service(data);
    std::error_code error;
    const auto folder = config.parent_path();
    const bool is_new = !fs::exists(folder, error);
    if (auto ok = make_folder_of(config); !ok) return fail(ok.error());
    if (is_new && protection.mode != Protection().mode &&
        (chown(folder.c_str(), protection.owner, protection.group) != 0 || chmod(folder.c_str(), 0750) != 0))
        return storage("give its group to", folder, std::strerror(errno));
    for (const auto& file : files) {
        auto target = place_file(place_of(file, config), file.text, protection);
        if (!target) return fail(target.error());
        placed.push_back(std::move(*target));
    }
    return placed;
}

Result<std::string> place_left_config(const fs::path& data, const fs::path& journal) {
    const auto config = fs::path(whole_file(journal / kConfigPath));
    if (!config.is_absolute()) return std::string();
    struct stat info{};
    const bool is_ours = stat(data.c_str(), &info) == 0 && info.st_uid == geteuid();
    std::string why = "the data folder belongs to another user";
    if (is_ours) {
        const auto files = read_config(journal / "config");
        const auto placed = files ? place_config(*files, config, data) : fail(files.error());
        if (placed) return std::string();
        why = placed.error().message;
    }
    const auto kept = data / kKeptConfig;
    std::error_code error;
    fs::remove_all(kept, error);
    fs::rename(journal / "config", kept, error);
    if (error) return storage("move", journal / "config", error.message());
    return fmt::format(
        "a restore was cut off and is finished now, but for its config, which belongs to {}: {}. It is "
        "in {}: copy it from there, and remove that folder",
        config.string(), why, kept.string());
}

}  // namespace tandem::backup
