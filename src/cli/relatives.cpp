#include "cli/relatives.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "cli/model.h"
#include "engine/gguf.h"

namespace tandem::cli {

namespace {

struct File {
    std::filesystem::path path;
    engine::GgufFacts facts;
};

// The file of the model, or that the command of its owner names; with what its header says.
std::optional<File> header_of(const Globals& globals, const config::Config& config, const config::Model& model) {
    auto path = file_of(globals, config, model);
    const auto& line = model.command.line;
    const auto named =
        std::ranges::find_if(line, [](const std::string& argument) { return argument.ends_with(".gguf"); });
    if (!path && named != line.end()) path = *named;
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
    if (const auto file = header_of(globals, config, model)) found.quantization = quantization_of(file->facts);
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
    if (!quants && !engines) {
        for (const auto& id : ids) add(id);
        return all;
    }
    std::vector<std::pair<std::string, File>> files;
    for (const auto& model : config.models)
        if (auto file = header_of(globals, config, model)) files.emplace_back(model.id, std::move(*file));
    for (const auto& id : ids) {
        add(id);
        const auto own = std::ranges::find(files, id, &std::pair<std::string, File>::first);
        if (own == files.end()) continue;
        for (const auto& [other, file] : files)
            if (is_relative(own->second, file, quants, engines)) add(other);
    }
    return all;
}

}  // namespace tandem::cli
