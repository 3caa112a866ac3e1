// tandem model: the model files on disk, by the manifest of data/models.
#include "cli/model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cli/measured.h"
#include "cli/terminal.h"
#include "engine/disk/check.h"
#include "engine/engines.h"
#include "engine/pull/parts.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

struct Loaded {
    config::Config config;
    engine::Manifest manifest;
};

Result<Loaded> load(const Globals& globals) {
    auto config = config_for_files(globals);
    if (!config) return fail(config.error());
    auto manifest = engine::Manifest::read(models_folder(*config));
    if (!manifest) return fail(manifest.error());
    return Loaded{std::move(*config), std::move(*manifest)};
}

std::string state_of(const engine::Manifest& manifest, const engine::DiskModel& model) {
    for (const auto& file : model.files) {
        std::error_code error;
        const auto size = fs::file_size(manifest.path_of(file), error);
        if (error) return "missing";
        if (size != static_cast<std::uintmax_t>(file.size)) return "wrong size";
    }
    return "there";
}

void print_unfinished(const std::vector<engine::Unfinished>& files) {
    for (const auto& file : files)
        fmt::print("unfinished: {}, {} of {}\n", file.name, size_text(file.done), size_text(file.size));
    if (!files.empty())
        fmt::print(
            "`tandem model pull` of the same goes on with them, `tandem model rm --unfinished` deletes them\n\n");
}

int remove_unfinished(const Globals& globals) {
    const auto config = config_for_files(globals);
    if (!config) return report(globals, config.error());
    const auto freed = engine::discard_unfinished(models_folder(*config) / ".pull");
    json::Writer out;
    out.begin_object().member("bytes", freed).end_object();
    fmt::print("{}\n", globals.json ? out.text() : fmt::format("{} are free", size_text(freed)));
    return kOk;
}

int list(const Globals& globals) {
    const auto loaded = load(globals);
    if (!loaded) return report(globals, loaded.error());
    const auto& [config, manifest] = *loaded;
    const auto unfinished = engine::unfinished_in(models_folder(config) / ".pull");
    const auto measured = measured_of_all(remote_of(config));
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("folder", models_folder(config).string()).key("models").begin_array();
        for (const auto& model : manifest.models()) {
            out.begin_object();
            write_model(out, model);
            out.member("state", state_of(manifest, model)).key("used_by").begin_array();
            for (const auto& id : users_of(config, model)) out.value(id);
            out.end_array().key("measured").begin_object();
            for (const auto& id : users_of(config, model))
                if (const auto found = measured.find(id); found != measured.end()) out.member(id, found->second);
            out.end_object().end_object();
        }
        out.end_array().key("unfinished").begin_array();
        for (const auto& file : unfinished)
            out.begin_object()
                .member("name", file.name)
                .member("size", file.size)
                .member("on_disk", file.on_disk)
                .end_object();
        fmt::print("{}\n", out.end_array().end_object().text());
        return kOk;
    }
    print_unfinished(unfinished);
    if (manifest.models().empty() && unfinished.empty()) {
        fmt::print(
            "no model files yet: `tandem model pull hf:ORG/REPO` fetches one, `tandem model import` takes those "
            "of Ollama, LM Studio, llama.cpp and the hub's cache\n");
        return kOk;
    }
    if (manifest.models().empty()) return kOk;
    std::size_t widest = 4;
    for (const auto& model : manifest.models()) widest = std::max(widest, model.name.size());
    fmt::print("{:<{}} {:>9}  {:<10} {:<8} {:<16} {}\n", "file", widest, "size", "state", "whose", "used by", "source");
    for (const auto& model : manifest.models()) {
        const auto users = users_of(config, model);
        fmt::print("{:<{}} {:>9}  {:<10} {:<8} {:<16} {}\n", model.name, widest, size_text(model.size()),
                   state_of(manifest, model), model.adopted ? "adopted" : "ours",
                   users.empty() ? "-" : join(users, " "), model.source);
        for (const auto& id : users)
            if (const auto found = measured.find(id); found != measured.end())
                fmt::print("  {}: {}\n", id, found->second);
    }
    return kOk;
}

// All of them where none is named.
Result<std::vector<const engine::DiskModel*>> named(const engine::Manifest& manifest, const std::string& name) {
    std::vector<const engine::DiskModel*> models;
    for (const auto& model : manifest.models())
        if (name.empty() || model.name == name) models.push_back(&model);
    if (!models.empty() || name.empty()) return models;
    return fail(engine::no_model(manifest.models(), name));
}

int verify(const Globals& globals, const std::string& name) {
    const auto loaded = load(globals);
    if (!loaded) return report(globals, loaded.error());
    const auto models = named(loaded->manifest, name);
    if (!models) return report(globals, models.error());
    bool good = true;
    json::Writer out;
    out.begin_object().key("models").begin_array();
    for (const auto* model : *models) {
        out.begin_object().member("name", model->name).key("files").begin_array();
        for (const auto& file : model->files) {
            const auto label = printable(file.path.filename().string(), 40);
            const auto state = engine::check_file(loaded->manifest, file, [&](std::int64_t bytes) {
                if (bytes % (64LL << 20) == 0)
                    print_status(fmt::format("{}: {} of {}", label, size_text(bytes), size_text(file.size)));
            });
            print_status("");
            good = good && state == engine::FileState::good;
            const auto path = loaded->manifest.path_of(file).string();
            out.begin_object().member("path", path).member("state", engine::name_of(state)).end_object();
            if (!globals.json) fmt::print("{:<10} {}\n", engine::name_of(state), path);
        }
        out.end_array().end_object();
    }
    out.end_array().member("good", good).end_object();
    if (globals.json) fmt::print("{}\n", out.text());
    if (!good && !globals.json)
        fmt::print(stderr, "tandem: not all files are as they were: `tandem model rm` the model, and pull it again\n");
    return good ? kOk : kBroken;
}

int remove(const Globals& globals, const std::string& name, bool force) {
    const auto loaded = load(globals);
    if (!loaded) return report(globals, loaded.error());
    const auto models = named(loaded->manifest, name);
    if (!models) return report(globals, models.error());
    const auto& model = *models->front();
    if (const auto users = users_of(loaded->config, model); !users.empty() && !force)
        return report(globals, {ErrorCode::forbidden,
                                fmt::format("{} is used by {} of tandem.yaml; take it out there first, or give --force",
                                            model.name, join(users, ", "))});
    const bool adopted = model.adopted;
    const auto size = model.size();
    if (auto ok = engine::remove_model(models_folder(loaded->config), name); !ok) return report(globals, ok.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("name", name).member("deleted", !adopted).member("bytes", adopted ? 0 : size);
        fmt::print("{}\n", out.end_object().text());
    } else if (adopted) {
        fmt::print("{} is forgotten; its file belongs to another program and stays\n", name);
    } else {
        fmt::print("{} is deleted: {} are free\n", name, size_text(size));
    }
    return kOk;
}

}  // namespace

Result<config::Config> config_for_files(const Globals& globals) {
    auto config = globals.load();
    if (config || config.error().code != ErrorCode::invalid) return config;
    fmt::print(stderr, "tandem: {}\ntandem: model files need only its data folder: this goes on\n",
               config.error().message);
    config::Config files;
    files.source = globals.config_path();
    files.data = config::data_folder_of(files.source, globals.environment);
    return files;
}

std::optional<std::filesystem::path> file_of(const Globals& globals, const config::Config& config,
                                             const config::Model& model) {
    if (model.file.empty()) return std::nullopt;
    const auto file = engine::find_model_file(
        config, model, {config.data, config::cache_folder(config, globals.environment), globals.environment});
    return file ? std::optional(*file) : std::nullopt;
}

std::filesystem::path models_folder(const config::Config& config) {
    return config.data / "models";
}

std::string size_text(std::int64_t bytes) {
    const auto number = static_cast<double>(bytes);
    if (bytes < 1'000) return fmt::format("{} bytes", bytes);
    if (bytes < 1'000'000) return fmt::format("{:.1f} kB", number / 1e3);
    if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", number / 1e6);
    return fmt::format("{:.1f} GB", number / 1e9);
}

void write_model(json::Writer& out, const engine::DiskModel& model) {
    out.member("name", model.name).member("source", model.source).member("version", model.version);
    out.member("licence", model.licence).member("adopted", model.adopted).member("compared", model.compared);
    out.member("size", model.size()).member("added", time_text(model.added_ms));
    engine::write_files(out, model);
}

std::vector<std::string> users_of(const config::Config& config, const engine::DiskModel& model) {
    std::vector<std::string> ids;
    for (const auto& one : config.models)
        if (!one.file.empty() && (one.file == model.name || one.file == model.files.front().path ||
                                  one.file == (models_folder(config) / model.name).string()))
            ids.push_back(one.id);
    return ids;
}

void add_model(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("model", "The model files on disk: fetch, take over, check, delete");
    group->require_subcommand(1);
    add_model_pull(*group, globals, action);
    group->add_subcommand("list", "What there is, from where, and who uses it")->callback([&] {
        action = [&globals] { return list(globals); };
    });
    add_model_show(*group, globals, action);
    add_model_suggest(*group, globals, action);
    auto name = std::make_shared<std::string>();
    auto* check = group->add_subcommand("verify", "Read files whole and compare their SHA-256");
    check->add_option("file", *name, "Its name in `tandem model list`; without one, all");
    check->callback([&, name] { action = [&globals, name] { return verify(globals, *name); }; });
    auto force = std::make_shared<bool>(false), unfinished = std::make_shared<bool>(false);
    auto* rm = group->add_subcommand("rm", "Delete a file, or forget one that was imported");
    auto* file = rm->add_option("file", *name, "Its name in `tandem model list`");
    auto* all = rm->add_flag("--unfinished", *unfinished, "What pulls that did not end have left")->excludes(file);
    rm->add_flag("--force", *force, "Also where a model of tandem.yaml uses it");
    rm->callback([&, name, force, unfinished, file, all] {
        if (file->count() + all->count() == 0) throw CLI::RequiredError("file, or --unfinished");
        action = [&globals, name, force, unfinished] {
            return *unfinished ? remove_unfinished(globals) : remove(globals, *name, *force);
        };
    });
    add_model_import(*group, globals, action);
}

}  // namespace tandem::cli
