// From a model file to the lines of tandem.yaml that serve it.
#include <fmt/format.h>

#include <algorithm>

#include "advice/edit.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/config_file.h"
#include "cli/model.h"
#include "engine/gguf.h"

namespace tandem::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kUsualContext = 8'192;      // tokens; more costs memory for each slot
constexpr std::size_t kLargestConfig = 8UL << 20;  // bytes
constexpr std::size_t kLongestId = 64;

// "SmolLM2-135M-Instruct-Q4_K_M.gguf" as smollm2-135m-instruct-q4_k_m, or with a number where that is taken.
std::string id_of(const config::Config& config, const std::string& name) {
    auto id = lower(name.substr(0, name.size() - 5)).substr(0, kLongestId);
    if (const auto split = id.find("-00001-of-"); split != std::string::npos) id.resize(split);
    const auto taken = [&](const std::string& one) {
        return config.model(one) != nullptr ||
               std::ranges::find(config.aliases, one, &config::Alias::id) != config.aliases.end();
    };
    auto free = id;
    for (int n = 2; taken(free); ++n) free = fmt::format("{}-{}", id, n);
    return free;
}

struct Lines {
    std::string provider;
    bool new_provider = false;
    std::string id, model;  // the model's mapping
};

// The file's text with the lines. Errors: as with_value(), and invalid, where the config would not be valid.
Result<std::string> with_lines(const Globals& globals, const config::Config& config, const std::string& text,
                               const Lines& lines) {
    auto changed = Result<std::string>(text);
    if (lines.new_provider) changed = advice::with_value(*changed, {"providers", lines.provider}, "{ kind: engine }");
    if (changed) changed = advice::with_value(*changed, {"models", lines.id}, lines.model);
    if (!changed) return changed;
    if (auto ok = config::parse(*changed, config.source, globals.environment, config::Missing::left_out); !ok)
        return fail(
            ErrorCode::invalid,
            fmt::format("with these lines tandem.yaml would not be valid, so it is as it was: {}", ok.error().message));
    return changed;
}

Lines lines_for(const Globals& globals, const config::Config& config, const engine::DiskModel& model) {
    Lines lines;
    for (const auto& provider : config.providers)
        if (provider.kind->runs_here && lines.provider.empty()) lines.provider = provider.id;
    if (lines.provider.empty()) lines.provider = config.provider("engine") == nullptr ? "engine" : "local-engine";
    lines.id = id_of(config, model.name);
    auto context = kUsualContext;
    const auto& first = model.files.front().path;
    const auto facts = engine::read_gguf(first.is_absolute() ? first : models_folder(config) / first);
    if (facts && facts->context_tokens > 0) context = std::min(context, facts->context_tokens);
    lines.model = fmt::format("{{ provider: {}, file: {}, context: {} }}", lines.provider, model.name, context);
    // The provider may be the built-in one, which a config with models of its own has not.
    const auto text = config.source.empty() ? std::string() : read_regular(config.source, kLargestConfig).value_or("");
    lines.new_provider = !with_lines(globals, config, text, lines);
    return lines;
}

// Errors: not_found, where there is no file to add to; invalid; storage.
Result<fs::path> add_lines(const Globals& globals, const config::Config& config, const Lines& lines) {
    if (config.source.empty())
        return fail(ErrorCode::not_found, "there is no tandem.yaml to add to: `tandem init` writes one");
    auto text = read_regular(config.source, kLargestConfig);
    if (!text) return fail(text.error());
    auto changed = with_lines(globals, config, *text, lines);
    if (!changed) return fail(changed.error());
    auto backup = keep_backup(config.source);
    if (!backup) return backup;
    std::error_code error;
    const auto real = fs::canonical(config.source, error);
    if (error)
        return fail(ErrorCode::storage, fmt::format("cannot find {}: {}", config.source.string(), error.message()));
    if (auto ok = write_file(real, *changed, protection_of(real)); !ok) return fail(ok.error());
    return backup;
}

}  // namespace

int print_lines(const Globals& globals, const config::Config& config, const engine::DiskModel& model, bool add) {
    const auto users = users_of(config, model);
    Lines lines;
    fs::path backup;
    if (!add || !users.empty()) {
        lines = lines_for(globals, config, model);
    } else {
        // Another pull may have added lines since the config was read.
        const auto lock = engine::lock_in(models_folder(config), ".config.lock");
        if (!lock) return report(globals, lock.error());
        const auto now = globals.load();
        if (!now) return report(globals, now.error());
        lines = lines_for(globals, *now, model);
        auto added = add_lines(globals, *now, lines);
        if (!added) return report(globals, added.error());
        backup = std::move(*added);
    }
    if (globals.json) {
        json::Writer out;
        out.begin_object();
        write_model(out, model);
        out.member("model", users.empty() ? lines.id : users.front()).member("added", !backup.empty());
        fmt::print("{}\n", out.end_object().text());
        return kOk;
    }
    if (!users.empty()) {
        fmt::print("{} of tandem.yaml uses it: tandem ask --alias {} \"Say hello.\"\n", join(users, ", "),
                   users.front());
        return kOk;
    }
    if (!backup.empty()) {
        fmt::print("added to {} (as it was: {}): tandem ask --alias {} \"Say hello.\"\n", config.source.string(),
                   backup.filename().string(), lines.id);
        return kOk;
    }
    fmt::print("to serve it, write into tandem.yaml, or give --add:\n\n");
    if (lines.new_provider) fmt::print("providers:\n  {}: {{ kind: engine }}\n", lines.provider);
    fmt::print("models:\n  {}: {}\n", lines.id, lines.model);
    return kOk;
}

}  // namespace tandem::cli
