#include "engine/disk/adopt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <system_error>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "base/world.h"
#include "engine/gguf.h"
#include "engine/pull/parts.h"
#include "engine/pull/plan.h"
#include "engine/split.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLargestOllamaManifest = 1UL << 20;  // bytes

bool is_gguf(const fs::path& file) {
    return read_regular(file, 4).value_or(std::string()) == "GGUF";
}

std::int64_t size_of(const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    return error ? -1 : static_cast<std::int64_t>(size);
}

// The files below a folder, in order, without those that links of folders lead to.
std::vector<fs::path> files_below(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    std::size_t looked = 0;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end;
    for (; !error && at != end && looked < kMostLookedAt; at.increment(error), ++looked) {
        if (at.depth() >= kDeepestFolder) at.disable_recursion_pending();
        std::error_code ignored;
        if (fs::is_regular_file(at->path(), ignored)) files.push_back(at->path());
    }
    std::ranges::sort(files);
    return files;
}

// A blob of the hub's cache is named for its SHA-256, where it is a large file.
std::string said_sha256(const fs::path& file) {
    std::error_code error;
    const auto target = fs::read_symlink(file, error);
    if (error) return {};
    auto name = target.filename().string();
    Digest digest{};
    return from_hex(name, digest) ? name : std::string();
}

// The GGUF files among `files`, split ones together.
std::vector<DiskModel> models_among(const std::vector<fs::path>& files) {
    std::map<std::string, DiskModel> models;
    std::map<std::string, int> counts;
    for (const auto& file : files) {
        const auto name = file.filename().string();
        if (!lower(name).ends_with(".gguf") || lower(name).find("mmproj") != std::string::npos || !is_gguf(file))
            continue;
        const auto split = split_name_of(file.string());
        const auto key = split ? fmt::format("{}/{}", split->stem, split->count) : file.string();
        auto& model = models[key];
        counts[key] = split ? split->count : 1;
        if (model.files.empty()) {
            model.name = model_name_of(name);
            model.source = file.string();
        }
        model.files.push_back({file, size_of(file), said_sha256(file)});
    }
    std::vector<DiskModel> whole;
    for (auto& [key, model] : models)
        if (model.files.size() == static_cast<std::size_t>(counts[key])) whole.push_back(std::move(model));
    return whole;
}

// manifests/HOST/NAMESPACE/NAME/TAG, of the registry's own form.
std::vector<DiskModel> of_ollama(const fs::path& folder) {
    std::vector<DiskModel> models;
    for (const auto& manifest : files_below(folder / "manifests")) {
        const auto text = read_regular(manifest, kLargestOllamaManifest);
        json::Document document;
        if (!text || !document.parse(*text)) continue;
        for (const auto layer : document.root()["layers"].children()) {
            auto digest = std::string(layer["digest"].text());
            Digest bytes{};
            if (layer["mediaType"].text() != "application/vnd.ollama.image.model" || !digest.starts_with("sha256:") ||
                !from_hex(digest.substr(7), bytes))
                continue;
            digest.erase(0, 7);
            auto blob = folder / "blobs" / ("sha256-" + digest);
            std::error_code error;
            if (!fs::exists(blob, error)) blob = folder / "blobs" / ("sha256:" + digest);  // of versions before 0.1.31
            if (!is_gguf(blob)) continue;
            const auto tag = manifest.filename().string(), name = manifest.parent_path().filename().string();
            const auto space = manifest.parent_path().parent_path().filename().string();
            const auto host = manifest.parent_path().parent_path().parent_path().filename().string();
            DiskModel model;
            model.name = model_name_of(name + (tag == "latest" ? "" : "-" + tag));
            const auto before = host != "registry.ollama.ai" ? host + "/" + space + "/"
                                : space == "library"         ? ""
                                                             : space + "/";
            model.source = fmt::format("ollama:{}{}:{}", before, name, tag);
            model.version = "sha256:" + hex(sha256(*text));
            model.files.push_back({fs::absolute(blob), size_of(blob), digest});
            models.push_back(std::move(model));
            break;
        }
    }
    return models;
}

// models--ORG--REPO/snapshots/COMMIT/FILE. The newest snapshot of a file is taken.
std::vector<DiskModel> of_hub(const fs::path& folder) {
    std::vector<DiskModel> models;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        auto repository = at->path().filename().string();
        if (!repository.starts_with("models--")) continue;
        repository.erase(0, 8);
        if (const auto dashes = repository.find("--"); dashes != std::string::npos) repository.replace(dashes, 2, "/");
        const auto snapshots = at->path() / "snapshots";
        for (auto& model : models_among(files_below(snapshots))) {
            const auto inside = model.files.front().path.lexically_relative(snapshots);
            model.version = inside.begin()->string();
            model.source = fmt::format("hf:{}:{}", repository, inside.lexically_relative(*inside.begin()).string());
            const auto same = [&](const DiskModel& other) {
                return other.source == model.source && other.files.front().sha256 == model.files.front().sha256;
            };
            if (std::ranges::none_of(models, same)) models.push_back(std::move(model));
        }
    }
    return models;
}

bool knows(const std::vector<DiskModel>& models, const DiskModel& model) {
    return std::ranges::any_of(
        models, [&](const DiskModel& other) { return other.files.front().path == model.files.front().path; });
}

// A name that is free: with its maker or the folder before it, else with a number.
std::string free_name(const std::vector<DiskModel>& models, const DiskModel& model) {
    const auto taken = [&](const std::string& name) {
        return std::ranges::find(models, name, &DiskModel::name) != models.end();
    };
    if (!taken(model.name)) return model.name;
    const auto folder = model.files.front().path.parent_path().filename().string();
    auto name = model_name_of(fmt::format("{}_{}", folder.substr(0, 60), model.name));
    for (int n = 2; taken(name); ++n)
        name = model_name_of(fmt::format("{}-{}", model.name.substr(0, model.name.size() - 5), n));
    return name;
}

}  // namespace

Result<> check_split(const fs::path& file) {
    const auto facts = read_gguf(file);
    if (!facts) return fail(facts.error());
    const auto name = split_name_of(file.filename().string());
    if (facts->split.count < 2 || (name && name->count == facts->split.count)) return {};
    return fail(ErrorCode::invalid,
                fmt::format("{} says that it is part {} of {}, and its name does not: llama-server finds the parts by "
                            "their names (NAME-00001-of-{:05}.gguf), and parts that were joined by `cat` are no model",
                            file.string(), facts->split.number + 1, facts->split.count, facts->split.count));
}

std::vector<Store> stores_of(const config::Environment& environment) {
    const auto set = [&](const char* name) { return fs::path(std::string(trim(environment(name).value_or("")))); };
    const auto home = set("HOME");
    const auto cache = set("XDG_CACHE_HOME").empty() ? home / ".cache" : set("XDG_CACHE_HOME");
    std::vector<Store> all;
    all.push_back({"ollama", set("OLLAMA_MODELS").empty() ? home / ".ollama" / "models" : set("OLLAMA_MODELS")});
    all.push_back({"ollama", "/usr/share/ollama/.ollama/models"});  // of its service
    all.push_back({"lmstudio", home / ".lmstudio" / "models"});
    all.push_back({"lmstudio", home / ".cache" / "lm-studio" / "models"});
    all.push_back({"llama.cpp", set("LLAMA_CACHE").empty() ? cache / "llama.cpp" : set("LLAMA_CACHE")});
    const auto hub = set("HF_HOME").empty() ? cache / "huggingface" : set("HF_HOME");
    all.push_back({"hub", set("HF_HUB_CACHE").empty() ? hub / "hub" : set("HF_HUB_CACHE")});
    std::vector<Store> there;
    std::vector<fs::path> seen;
    for (auto& store : all) {
        std::error_code error;
        const auto real = fs::canonical(store.folder, error);
        if (error || !fs::is_directory(real, error) || std::ranges::find(seen, real) != seen.end()) continue;
        seen.push_back(real);
        there.push_back(std::move(store));
    }
    return there;
}

std::vector<DiskModel> models_of(const Store& store) {
    auto models = store.program == "ollama" ? of_ollama(store.folder)
                  : store.program == "hub"  ? of_hub(store.folder)
                                            : models_among(files_below(store.folder));
    for (auto& model : models) model.adopted = true;
    return models;
}

Result<std::vector<DiskModel>> models_at(const fs::path& path) {
    std::error_code error;
    const auto whole = fs::absolute(path, error).lexically_normal();
    std::vector<DiskModel> models;
    if (fs::is_directory(whole, error)) {
        models = models_among(files_below(whole));
    } else {
        if (auto ok = check_readable(whole); !ok) return fail(ok.error());
        if (!is_gguf(whole))
            return fail(ErrorCode::invalid,
                        fmt::format("{} is no GGUF file: it does not begin with GGUF", whole.string()));
        if (auto ok = check_split(whole); !ok) return fail(ok.error());
        std::vector<fs::path> files{whole};
        if (const auto split = split_name_of(whole.string())) {
            files.clear();
            for (int number = 1; number <= split->count; ++number) {
                files.emplace_back(split_name({split->stem, number, split->count}));
                if (!fs::exists(files.back(), error))
                    return fail(ErrorCode::not_found, fmt::format("{} is a part of a split file, and {} is not there",
                                                                  whole.string(), files.back().string()));
            }
        }
        models = models_among(files);
        // A blob of another program has no name that says what it is.
        if (models.empty()) {
            DiskModel model{.name = model_name_of(whole.filename().string()), .source = whole.string()};
            model.files.push_back({whole, size_of(whole), {}});
            models.push_back(std::move(model));
        }
    }
    for (auto& model : models) model.adopted = true;
    return models;
}

Result<Adopted> adopt(const fs::path& models, std::vector<DiskModel> found, const Reading& reading) {
    // What is known needs no reading, which takes long and would hold the lock.
    const auto manifest = Manifest::read(models);
    if (!manifest) return fail(manifest.error());
    Adopted result;
    std::int64_t read = 0;
    std::vector<DiskModel> fresh;
    for (auto& model : found) {
        if (knows(manifest->models(), model)) {
            ++result.known;
            continue;
        }
        for (auto& file : model.files) {
            if (!file.sha256.empty()) continue;
            auto sha256 = sha256_of_file(file.path, [&](std::int64_t bytes) {
                if (reading) reading(read + bytes);
            });
            if (!sha256) return fail(sha256.error());
            file.sha256 = *sha256;
            read += file.size;
        }
        model.added_ms = unix_ms(system_clock()->wall());
        fresh.push_back(std::move(model));
    }
    auto ok = change_manifest(models, [&](std::vector<DiskModel>& listed) -> Result<> {
        for (auto& model : fresh) {
            if (knows(listed, model)) continue;
            model.name = free_name(listed, model);
            listed.push_back(model);
            result.added.push_back(std::move(model));
        }
        return {};
    });
    if (!ok) return fail(ok.error());
    return result;
}

Result<DiskModel> copy_in(const fs::path& models, const fs::path& file, const Reading& reading) {
    auto found = models_at(file);
    if (!found) return fail(found.error());
    if (found->size() != 1)
        return fail(ErrorCode::invalid,
                    fmt::format("{} is a folder: name one file of it, or `tandem model import` it", file.string()));
    auto model = std::move(found->front());
    const auto room = free_bytes(models);
    if (!room) return fail(room.error());
    if (*room < model.size() + kSpare)
        return fail(
            ErrorCode::unavailable,
            fmt::format("{} needs {:.1f} GB and {} has {:.1f} GB free; `tandem model import` uses it where it is",
                        file.string(), static_cast<double>(model.size()) / 1e9, models.string(),
                        static_cast<double>(*room) / 1e9));
    model.adopted = false;
    model.added_ms = unix_ms(system_clock()->wall());
    std::vector<fs::path> sources;
    for (auto& one : model.files) {
        sources.push_back(one.path);
        one.path = model.files.size() == 1 ? model.name : model_name_of(one.path.filename().string());
        std::error_code error;
        if (fs::exists(models / one.path, error))
            return fail(ErrorCode::invalid, fmt::format("{} is there already", (models / one.path).string()));
    }
    std::int64_t before = 0;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        auto& one = model.files[i];
        const auto part = models / ".pull" / (one.path.string() + ".copy");
        if (auto ok = make_folder_of(part); !ok) return fail(ok.error());
        std::error_code error;
        fs::copy_file(sources[i], part, fs::copy_options::overwrite_existing, error);
        if (error)
            return fail(ErrorCode::storage, fmt::format("cannot copy {}: {}", sources[i].string(), error.message()));
        auto sha256 = sha256_of_file(part, [&](std::int64_t bytes) {
            if (reading) reading(before + bytes);
        });
        if (!sha256) return fail(sha256.error());
        one.sha256 = *sha256;
        before += one.size;
        if (auto ok = give_name(part, models / one.path, false); !ok) return fail(ok.error());
    }
    if (auto ok = enter(models, model); !ok) return fail(ok.error());
    return model;
}

}  // namespace tandem::engine
