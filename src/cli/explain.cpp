// tandem explain: why a request went where it went, or where one would go.
#include "api/explain.h"

#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/remote.h"
#include "dialect/openai_chat.h"
#include "gateway/run.h"

namespace tandem::cli {

namespace {

struct Options {
    std::string id;
    bool last = false;
    std::string dry_run;
    std::string alias = "auto";
    std::string label;
    std::string value;
};

int explain_record(const Globals& globals, const config::Config& config, const std::string& id) {
    auto database = open_ledger(config);
    if (!database) return report(globals, database.error());
    const auto explanation = api::explain(**database, id);
    if (!explanation) return report(globals, explanation.error());
    fmt::print("{}", globals.json ? api::to_json(*explanation) + "\n" : api::to_text(*explanation, config.currency));
    return kOk;
}

// With a server, its health, budgets and memory count; without one, the config alone does, and the output says so.
int explain_dry(const Globals& globals, config::Config config, const Options& options) {
    chat::Request request;
    request.model = options.alias;
    chat::Message message;
    message.parts.push_back({chat::TextPart{options.dry_run}, {}});
    request.messages.push_back(std::move(message));
    const std::string body = dialect::openai_chat::encode_request(request, options.alias);
    const std::string currency = config.currency;
    RemoteRequest ask{.method = "POST", .path = "/tandem/v1/decide", .headers = {}, .body = body};
    if (!options.label.empty()) ask.headers.add("x-tandem-label", options.label);
    if (!options.value.empty()) ask.headers.add("x-tandem-value", options.value);
    routing::Inputs inputs;
    Result<routing::Decision> decision;
    bool offline = false;
    if (auto answer = call(remote_of(config), std::move(ask)); answer) {
        if (answer->status != 200) return report(globals, {ErrorCode::upstream, error_message(*answer)});
        if (globals.json) {
            fmt::print("{}\n", answer->body);
            return kOk;
        }
        json::Document document;
        if (auto ok = document.parse(answer->body); !ok) return report(globals, ok.error());
        auto read = routing::inputs_from_json(document.root()["inputs"]);
        if (!read) return report(globals, read.error());
        inputs = std::move(*read);
        decision = routing::decide(routing::table_of(config), inputs);
    } else {
        offline = true;
        const auto label = label_from(options.label.empty() ? "public" : options.label);
        if (!label)
            return report(globals, {ErrorCode::invalid, "there is no label '" + options.label +
                                                            "'; there are: public, internal, private, secret"});
        json::Document document;
        if (auto ok = document.parse(body); !ok) return report(globals, ok.error());
        const auto snapshot = gateway::snapshot_of(std::move(config));
        if (!snapshot) return report(globals, snapshot.error());
        access::RequestHeaders asked;
        asked.label = *label;
        asked.stakes = config::stakes_from(options.value).value_or(config::Stakes::normal);
        auto dry = gateway::decide_only(**snapshot, nullptr, access::Principal::anonymous(), document, request, asked);
        inputs = std::move(dry.inputs);
        decision = std::move(dry.decision);
    }
    if (!decision) return report(globals, decision.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("sentence", decision->sentence()).raw_member("inputs", routing::to_json(inputs));
        out.raw_member("decision", routing::to_json(*decision)).member("offline", true).end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    fmt::print("dry run: {}\n{}", decision->sentence(), api::decision_text(inputs, *decision, currency));
    if (offline) fmt::print("  no server answers, so health, budgets and earlier labels are not considered\n");
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
    command->add_option("--value", options->value, "high: as if marked high-value");
    command->callback([&, options] {
        action = [&globals, options] {
            auto config = globals.load();
            if (!config) return report(globals, config.error());
            if (!options->dry_run.empty()) return explain_dry(globals, std::move(*config), *options);
            return explain_record(globals, *config, options->id.empty() || options->last ? "last" : options->id);
        };
    });
}

}  // namespace tandem::cli
