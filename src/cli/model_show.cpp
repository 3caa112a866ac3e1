// tandem model show: what the header of a model file says, whether it is known here or not.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/model.h"
#include "engine/gguf.h"

namespace tandem::cli {

namespace {

int show(const Globals& globals, const std::string& name, bool lines) {
    const auto config = config_for_files(globals);
    if (!config) return report(globals, config.error());
    const auto manifest = engine::Manifest::read(models_folder(*config));
    if (!manifest) return report(globals, manifest.error());
    const auto* model = manifest->find(name);
    if (model == nullptr && name.find('/') == std::string::npos && !name.ends_with(".gguf")) {
        std::vector<std::string> names;
        for (const auto& one : manifest->models()) names.push_back(one.name);
        return report(globals, {ErrorCode::not_found, fmt::format("there is no model file '{}'{}", printable(name, 80),
                                                                  suggest(name, names))});
    }
    const auto path = model != nullptr ? manifest->path_of(model->files.front()) : std::filesystem::path(name);
    const auto facts = engine::read_gguf(path);
    if (!facts) return report(globals, facts.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("path", path.string());
        if (model != nullptr) write_model(out, *model);
        fmt::print("{}\n", out.end_object().text());
        return kOk;
    }
    fmt::print("{}\n", path.string());
    if (model != nullptr && lines) return print_lines(globals, *config, *model, false);
    return kOk;
}

}  // namespace

void add_model_show(CLI::App& group, Globals& globals, Action& action) {
    auto name = std::make_shared<std::string>();
    auto* command = group.add_subcommand("show", "What a model file says of itself");
    command->add_option("file", *name, "Its name in `tandem model list`, or the path of a GGUF file")->required();
    command->callback([&, name] { action = [&globals, name] { return show(globals, *name, true); }; });
}

}  // namespace tandem::cli
