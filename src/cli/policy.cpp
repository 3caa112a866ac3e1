// tandem policy show: the rules in force, as YAML that can be copied into tandem.yaml.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/cli.h"
#include "routing/routing.h"

namespace tandem::cli {

namespace {

int show(const Globals& globals, const std::string& preset) {
    config::Policy policy;
    if (!preset.empty()) {
        if (config::preset_text(preset).empty())
            return report(globals, {ErrorCode::not_found, fmt::format("no preset '{}'{}", printable(preset, 40),
                                                                      suggest(preset, config::preset_names()))});
        policy.preset = preset;
    }
    auto config = preset.empty()
                      ? globals.load()
                      : config::parse(fmt::format("policy: {{ preset: {} }}", preset), {}, globals.environment);
    if (!config) return report(globals, config.error());
    if (globals.json) {
        json::Document document;
        const auto table = routing::to_json(routing::table_of(*config));
        if (auto ok = document.parse(table); !ok) return report(globals, ok.error());
        json::Writer out;
        out.begin_object()
            .member("preset", config->policy.preset)
            .raw_member("rules", document.root()["rules"].raw())
            .end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    if (!config->policy.preset.empty())
        fmt::print("# The preset '{}'. To change it, copy the rules under `policy:` in tandem.yaml.\n",
                   config->policy.preset);
    fmt::print("{}", config::rules_as_yaml(config->policy));
    return kOk;
}

}  // namespace

void add_policy(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("policy", "The rules that decide where work runs");
    group->require_subcommand(1);
    auto* command = group->add_subcommand("show", "Print the rules in force, or those of a preset");
    auto preset = std::make_shared<std::string>();
    command->add_option("preset", *preset, "hybrid, local-first or cloud-first");
    command->callback([&, preset] { action = [&globals, preset] { return show(globals, *preset); }; });
}

}  // namespace tandem::cli
