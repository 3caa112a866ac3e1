#include "engine/disk/manifest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <numeric>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kVersion = 1;         // of the manifest's form
constexpr std::size_t kLongestName = 200;    // bytes
constexpr std::size_t kLongestText = 4'096;  // bytes of a source, a licence, a path

fs::path file_of(const fs::path& models) {
    return models / "manifest.json";
}

bool is_sha256(std::string_view text) {
    Digest digest{};
    return from_hex(text, digest);
}

Result<DiskFile> file_from(const json::Value& value, bool adopted) {
    DiskFile file;
    file.path = std::string(value["path"].text());
    file.size = value["size"].integer().value_or(-1);
    file.sha256 = value["sha256"].text();
    const auto& text = file.path.native();
    const bool inside = adopted ? file.path.is_absolute() : is_model_name(text);
    if (!inside || text.size() > kLongestText || text.find('\0') != std::string::npos || file.size < 0 ||
        !is_sha256(file.sha256))
        return fail(ErrorCode::invalid, "a file of it has a wrong path, size or sha256");
    return file;
}

Result<DiskModel> model_from(const json::Value& value) {
    DiskModel model;
    model.name = value["name"].text();
    model.source = value["source"].text();
    model.version = value["version"].text();
    model.licence = value["licence"].text();
    model.adopted = value["adopted"].boolean().value_or(false);
    model.compared = value["compared"].boolean().value_or(false);
    model.added_ms = value["added_ms"].integer().value_or(0);
    if (!is_model_name(model.name)) return fail(ErrorCode::invalid, "its name cannot be one");
    if (std::max({model.source.size(), model.version.size(), model.licence.size()}) > kLongestText)
        return fail(ErrorCode::invalid, "a text of it is too long");
    const auto files = value["files"];
    if (files.size() == 0 || files.size() > kMostFilesOfModel)
        return fail(ErrorCode::invalid, "it has no files, or too many");
    for (const auto one : files.children()) {
        auto file = file_from(one, model.adopted);
        if (!file) return fail(file.error());
        model.files.push_back(std::move(*file));
    }
    return model;
}

std::string text_of(const std::vector<DiskModel>& models) {
    json::Writer out;
    out.begin_object().member("version", kVersion).key("models").begin_array();
    for (const auto& model : models) {
        out.begin_object().member("name", model.name).member("source", model.source);
        out.member("version", model.version).member("licence", model.licence).member("adopted", model.adopted);
        out.member("compared", model.compared).member("added_ms", model.added_ms);
        write_files(out, model);
        out.end_object();
    }
    out.end_array().end_object();
    return out.take() + "\n";
}

}  // namespace

std::int64_t DiskModel::size() const {
    return std::accumulate(files.begin(), files.end(), std::int64_t{0},
                           [](std::int64_t sum, const DiskFile& file) { return sum + file.size; });
}

Result<Manifest> Manifest::read(const fs::path& models) {
    Manifest manifest;
    manifest.folder_ = models;
    const auto file = file_of(models);
    const auto text = read_regular(file, kLargestManifest + 1);
    if (!text && text.error().code == ErrorCode::not_found) return manifest;
    if (!text) return fail(text.error());
    const auto wrong = [&file](std::string_view why) {
        return fail(
            ErrorCode::invalid,
            fmt::format("{} is damaged: {}; move it away, and import or pull the models anew", file.string(), why));
    };
    if (text->size() > kLargestManifest) return wrong("it is too large");
    json::Document document;
    if (auto ok = document.parse(*text); !ok) return wrong(ok.error().message);
    if (document.root()["version"].integer().value_or(kVersion) > kVersion)
        return fail(ErrorCode::invalid,
                    fmt::format("{} is of a newer tandem: use that one, or move the file away, and import or pull the "
                                "models anew",
                                file.string()));
    const auto listed = document.root()["models"];
    if (!listed.is(json::Kind::array) || listed.size() > kMostDiskModels) return wrong("it has no list of models");
    for (const auto one : listed.children()) {
        auto model = model_from(one);
        if (!model)
            return wrong(fmt::format("model '{}': {}", printable(one["name"].text(), 60), model.error().message));
        if (manifest.find(model->name) != nullptr)
            return wrong(fmt::format("model '{}' stands there twice", model->name));
        manifest.models_.push_back(std::move(*model));
    }
    return manifest;
}

const DiskModel* Manifest::find(std::string_view name) const {
    const auto found = std::ranges::find(models_, name, &DiskModel::name);
    return found == models_.end() ? nullptr : &*found;
}

fs::path Manifest::path_of(const DiskFile& file) const {
    return file.path.is_absolute() ? file.path : folder_ / file.path;
}

Result<> enter(const fs::path& models, const DiskModel& model) {
    return change_manifest(models, [&](std::vector<DiskModel>& listed) -> Result<> {
        std::erase_if(listed, [&](const DiskModel& other) { return other.name == model.name; });
        listed.push_back(model);
        return {};
    });
}

Error no_model(const std::vector<DiskModel>& models, std::string_view name) {
    std::vector<std::string> names;
    for (const auto& model : models) names.push_back(model.name);
    return {ErrorCode::not_found, fmt::format("there is no model file '{}'{}", printable(name, 80),
                                              names.empty() ? "; `tandem model list` has none" : suggest(name, names))};
}

void write_files(json::Writer& out, const DiskModel& model) {
    out.key("files").begin_array();
    for (const auto& file : model.files)
        out.begin_object()
            .member("path", file.path.string())
            .member("size", file.size)
            .member("sha256", file.sha256)
            .end_object();
    out.end_array();
}

Result<std::unique_ptr<Descriptor>> lock_in(const fs::path& models, std::string_view name) {
    const auto lock = models / name;
    if (auto ok = make_folder_of(lock); !ok) return fail(ok.error());
    auto held = std::make_unique<Descriptor>(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (held->get() < 0 || flock(held->get(), LOCK_EX) != 0)
        return fail(ErrorCode::storage, fmt::format("cannot lock {}: {}", lock.string(), std::strerror(errno)));
    return held;
}

Result<> give_name(const fs::path& part, const fs::path& target, bool replaces) {
    if (!replaces && renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) return {};
    std::error_code error;
    if (!replaces && (errno == EEXIST || fs::exists(target, error)))
        return fail(ErrorCode::invalid,
                    fmt::format("{} came to be meanwhile, and stays as it is; run the command again: what was fetched "
                                "is kept",
                                target.string()));
    // It may be replaced, or the file system cannot tell.
    fs::rename(part, target, error);
    if (!error) return {};
    return fail(ErrorCode::storage,
                fmt::format("cannot name {} {}: {}", part.string(), target.string(), error.message()));
}

Result<> change_manifest(const fs::path& models, const std::function<Result<>(std::vector<DiskModel>&)>& change) {
    const auto lock = lock_in(models, ".manifest.lock");
    if (!lock) return fail(lock.error());
    auto manifest = Manifest::read(models);
    if (!manifest) return fail(manifest.error());
    if (auto ok = change(manifest->models_); !ok) return ok;
    if (manifest->models_.size() > kMostDiskModels)
        return fail(ErrorCode::too_large, fmt::format("the manifest holds {} models at most", kMostDiskModels));
    return write_private_file(file_of(models), text_of(manifest->models_));
}

bool is_model_name(std::string_view name) {
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
    return name.size() > 5 && name.size() <= kLongestName && name.front() != '.' && name.ends_with(".gguf") &&
           name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string model_name_of(std::string_view words) {
    std::string name;
    if (lower(words).ends_with(".gguf")) words.remove_suffix(5);
    for (const char c : words) {
        const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                          c == '_' || c == '+' || c == '-';
        if (kept && (c != '.' || !name.empty()))
            name += c;
        else if (!name.empty() && name.back() != '-')
            name += '-';
    }
    while (!name.empty() && name.back() == '-') name.pop_back();
    if (name.empty()) name = "model";
    if (name.size() > kLongestName - 5) name.resize(kLongestName - 5);
    return name + ".gguf";
}

}  // namespace tandem::engine
