#include "cli/relatives.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "engine/engines.h"
#include "engine/gguf.h"

namespace tandem::cli {

namespace {

struct File {
    std::filesystem::path path;
    engine::GgufFacts facts;
};

// The file that engines find for the model, or that the command of its owner names.
std::optional<std::filesystem::path> path_of(const Globals& globals, const config::Config& config,
                                             const config::Model& model) {
    if (model.file.empty()) {
        const auto named = std::ranges::find_if(
            model.command.line, [](const std::string& argument) { return argument.ends_with(".gguf"); });
        return named == model.command.line.end() ? std::nullopt : std::optional<std::filesystem::path>(*named);
    }
    const auto path = engine::find_model_file(
        config, model, {config.data, config::cache_folder(config, globals.environment), globals.environment});
    return path ? std::optional(*path) : std::nullopt;
}

std::optional<File> file_of(const Globals& globals, const config::Config& config, const config::Model& model) {
    const auto path = path_of(globals, config, model);
    if (!path) return std::nullopt;
    auto facts = engine::read_gguf(*path);
    if (!facts) return std::nullopt;
    return File{*path, std::move(*facts)};
}

// As the file says, else the type that most of its weights have.
std::string quantization_of(const engine::GgufFacts& facts) {
    if (!facts.quantization.empty() || facts.quants.empty()) return facts.quantization;
    return facts.quants.front().type;
}

bool same_model(const engine::GgufFacts& one, const engine::GgufFacts& other) {
    return one.architecture == other.architecture && one.name == other.name && one.layers.count == other.layers.count &&
           one.layers.embedding == other.layers.embedding && one.tokenizer.tokens == other.tokenizer.tokens;
}

bool is_relative(const File& one, const File& other, bool quants, bool engines) {
    std::error_code error;
    const bool same_file = std::filesystem::equivalent(one.path, other.path, error);
    if (same_file) return engines;
    return quants && same_model(one.facts, other.facts) && quantization_of(one.facts) != quantization_of(other.facts);
}

}  // namespace

Served served(const Globals& globals, const config::Config& config, const config::Model& model) {
    Served found{.quantization = {}, .engine = model.provider};
    if (const auto file = file_of(globals, config, model)) found.quantization = quantization_of(file->facts);
    if (!model.command.line.empty())
        found.engine = fmt::format("{}: {}", model.provider, join(model.command.line, " "));
    else if (!model.args.empty())
        found.engine = fmt::format("{}: {}", model.provider, join(model.args, " "));
    return found;
}

std::vector<std::string> with_relatives(const Globals& globals, const config::Config& config,
                                        const std::vector<std::string>& ids, bool quants, bool engines) {
    std::vector<std::string> all;
    const auto add = [&all](const std::string& id) {
        if (std::ranges::find(all, id) == all.end()) all.push_back(id);
    };
    for (const auto& id : ids) {
        add(id);
        const auto* model = config.model(id);
        if (model == nullptr || (!quants && !engines)) continue;
        const auto file = file_of(globals, config, *model);
        if (!file) continue;
        for (const auto& other : config.models)
            if (const auto its = file_of(globals, config, other); its && is_relative(*file, *its, quants, engines))
                add(other.id);
    }
    return all;
}

}  // namespace tandem::cli
