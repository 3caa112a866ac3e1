// tandem explain: why a request went where it went, or where one would go.
#include "api/explain.h"

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/dry_run.h"

namespace tandem::cli {

namespace {

struct Options {
    std::string id;
    bool last = false;
    std::string dry_run;
    std::string alias = "auto";
    std::string label;
    std::string stakes;
};

int explain_record(const Globals& globals, const config::Config& config, const std::string& id) {
    auto database = open_ledger(config);
    if (!database) return report(globals, database.error());
    const auto explanation = api::explain(**database, id);
    if (!explanation) return report(globals, explanation.error());
    const auto currency = ledger::currency_of(**database, config.currency);
    if (!currency) return report(globals, currency.error());
    fmt::print(
        "{}", globals.json ? api::to_json(*explanation, config) + "\n" : api::to_text(*explanation, config, *currency));
    return kOk;
}

// With a server, its health, budgets and memory count; without one, the config alone does, and the output says so.
int explain_dry(const Globals& globals, const config::Config& config, const Options& options) {
    DryRuns runs(config, globals.environment, {options.alias, options.label, options.stakes});
    const auto run = runs.run(options.dry_run);
    if (!run) return report(globals, run.error());
    const auto& decision = run->decision;
    if (globals.json && !run->said.empty()) {
        fmt::print("{}\n", run->said);
    } else if (globals.json) {
        json::Writer out;
        out.begin_object().member("sentence", decision.sentence()).raw_member("inputs", routing::to_json(run->inputs));
        out.raw_member("decision", routing::to_json(decision)).member("offline", true).end_object();
        fmt::print("{}\n", out.text());
    } else {
        fmt::print("dry run: {}\n{}", decision.sentence(), api::decision_text(run->inputs, decision, config.currency));
        if (runs.offline())
            fmt::print("  no server answers, so health, budgets and earlier labels are not considered\n");
    }
    return kOk;
}

}  // namespace

void add_explain(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("explain", "Say why a request went where it went, or would go");
    auto options = std::make_shared<Options>();
    command->add_option("id", options->id, "A decision's id, from the x-tandem-decision header");
    command->add_flag("--last", options->last, "The newest decision (the default)");
    command->add_option("--dry-run", options->dry_run, "Decide about this prompt without running it");
    command->add_option("-a,--alias", options->alias, "Alias for the dry run");
    command->add_option("-l,--label", options->label, "Label for the dry run");
    add_stakes(*command, options->stakes, "high: as if `x-tandem-stakes` said so");
    command->callback([&, options] {
        action = [&globals, options] {
            auto config = globals.load();
            if (!config) return report(globals, config.error());
            if (!options->dry_run.empty()) return explain_dry(globals, *config, *options);
            return explain_record(globals, *config, options->id.empty() || options->last ? "last" : options->id);
        };
    });
}

}  // namespace tandem::cli
