// Where the engine's program and its models are.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "engine/disk/manifest.h"
#include "engine/engines.h"
#include "engine/programs.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

bool is_program(const fs::path& file) {
    std::error_code ignored;
    return fs::is_regular_file(file, ignored) && access(file.c_str(), X_OK) == 0;
}

}  // namespace

Result<fs::path> find_binary(const config::Config& config, const EnginesSettings& settings) {
    if (!config.engine_binary.empty()) {
        const fs::path named = config.engine_binary;
        if (named.is_absolute() && is_program(named)) return named;
        return fail(Fault::engine_not_found,
                    fmt::format("engine.binary: {} is not a program; give the absolute path of a llama-server",
                                named.string()));
    }
    if (const auto programs = Programs::read(settings.data); programs.in_use() != nullptr)
        return programs.in_use()->file;
    const std::string path = settings.environment("PATH").value_or("");
    for (std::size_t at = 0; at < path.size();) {
        const auto end = std::min(path.find(':', at), path.size());
        const fs::path candidate = fs::path(path.substr(at, end - at)) / "llama-server";
        if (candidate.is_absolute() && is_program(candidate)) return candidate;
        at = end + 1;
    }
    const fs::path cached = settings.cache / "engine" / "llama-server";
    if (is_program(cached)) return cached;
    return fail(
        Fault::engine_not_found,
        fmt::format("there is no llama-server on PATH and none at {}; `packaging/setup.sh engine` builds one, or set "
                    "engine.binary in tandem.yaml",
                    cached.string()));
}

Result<fs::path> find_model_file(const config::Config& config, const config::Model& model,
                                 const EnginesSettings& settings) {
    const fs::path named = model.file;
    std::vector<fs::path> places;
    if (named.is_absolute()) {
        places.push_back(named);
    } else {
        if (!config.source.empty()) places.push_back(fs::absolute(config.source).parent_path() / named);
        places.push_back(settings.data / "models" / named);
        places.push_back(settings.cache / "models" / named);
    }
    std::string looked;
    for (const auto& place : places) {
        std::error_code ignored;
        if (fs::is_regular_file(place, ignored)) return place;
        looked += "\n  " + place.string();
    }
    // Files of other programs that were adopted are found by their name.
    if (const auto manifest = Manifest::read(settings.data / "models")) {
        if (const auto* known = manifest->find(model.file); known != nullptr) {
            const auto path = manifest->path_of(known->files.front());
            std::error_code ignored;
            if (fs::is_regular_file(path, ignored)) return path;
            looked += "\n  " + path.string();
        }
    }
    return fail(
        Fault::model_file_not_found,
        fmt::format("the file of model {} is not there; put it at one of these places, give its absolute path, or "
                    "fetch it with `tandem model pull`:{}",
                    model.id, looked));
}

fs::path log_file(const fs::path& data, std::string_view model) {
    std::string name(model);
    std::ranges::replace_if(name, [](char c) { return c == '/' || c == ':'; }, '_');
    return data / "engines" / (name + ".log");
}

}  // namespace tandem::engine
