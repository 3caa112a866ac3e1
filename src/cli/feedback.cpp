// tandem feedback and tandem learning: how answers were, and what was learned from that.
#include <fmt/format.h>

#include "api/explain.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "learning/outcomes.h"

namespace tandem::cli {

namespace {

constexpr int kMostExported = 1'000'000;

int feedback(const Globals& globals, const std::string& decision, const std::string& outcome,
             const std::string& comment) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    json::Writer out;
    out.begin_object().member("decision", decision);
    if (outcome == "good" || outcome == "bad") {
        out.member("outcome", outcome);
    } else {
        char* end = nullptr;
        const double number = std::strtod(outcome.c_str(), &end);
        if (outcome.empty() || *end != '\0' || !(number >= 0 && number <= 1)) {
            report(globals, {ErrorCode::invalid, fmt::format("expected good, bad or a number from 0 to 1, got '{}'",
                                                             printable(outcome, 40))});
            return kUsage;
        }
        out.raw_member("outcome", fmt::format("{}", number));
    }
    if (!comment.empty()) out.member("comment", comment);
    out.end_object();
    int code = kOk;
    const auto answer = ask(globals, *config,
                            {.method = "POST", .path = "/tandem/v1/feedback", .headers = {}, .body = out.take()}, code);
    if (!answer) return code;
    json::Document document;
    if (globals.json || !document.parse(answer->body)) {
        fmt::print("{}\n", answer->body);
        return kOk;
    }
    const auto weight = document.root()["weight"].text();
    fmt::print(
        "noted for {}{}\n", document.root()["decision"].text(),
        weight == "1.000" ? "" : fmt::format(", with a weight of {}: this key has said much within an hour", weight));
    return kOk;
}

int show(const Globals& globals) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    const auto answer = ask(globals, *config, {.path = "/tandem/v1/learning", .headers = {}, .body = {}}, code);
    if (!answer) return code;
    json::Document document;
    if (globals.json || !document.parse(answer->body)) {
        fmt::print("{}\n", answer->body);
        return kOk;
    }
    fmt::print("{:<28} {:>9} {:>9} {:>9} {:>9} {:>13}\n", "model", "outcomes", "weight", "expected", "seconds",
               "answer tokens");
    for (const auto model : document.root()["models"].children())
        fmt::print("{:<28} {:>9} {:>9} {:>9} {:>9} {:>13}\n", model["model"].text(), model["outcomes"].text(),
                   model["weight"].text(), model["expected"].text(), model["seconds"].text(),
                   model["answer_tokens"].text());
    if (document.root()["learns"].boolean() == false) fmt::print("policy.objective.learn is off: nothing is added\n");
    return kOk;
}

// Reads the data folder itself, so it works without a server too.
int export_all(const Globals& globals, const std::string& model) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    const auto records = learning::newest_outcomes(**database, model, kMostExported);
    if (!records) return report(globals, records.error());
    for (const auto& r : *records) {
        json::Writer out;
        out.begin_object().member("decision", r.decision).member("model", r.model).member("source", r.source);
        out.member("key", r.key).member("time", r.time).raw_member("outcome", fmt::format("{}", r.value));
        out.raw_member("weight", fmt::format("{}", r.weight));
        if (!r.note.empty()) out.member("note", r.note);
        out.end_object();
        fmt::print("{}\n", out.text());
    }
    return kOk;
}

int reset(const Globals& globals, const std::string& model) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    const auto answer = ask(globals, *config,
                            {.method = "DELETE",
                             .path = "/tandem/v1/learning" + (model.empty() ? "" : "?model=" + model),
                             .headers = {},
                             .body = {}},
                            code);
    if (!answer) return code;
    if (globals.json)
        fmt::print("{}\n", answer->body);
    else
        fmt::print("what was learned of {} is forgotten\n", model.empty() ? "all models" : model);
    return kOk;
}

}  // namespace

void add_feedback(CLI::App& app, Globals& globals, Action& action) {
    struct Asked {
        std::string decision, outcome, comment;
    };
    auto* command =
        app.add_subcommand("feedback", "Say how an answer was, so that the next ones go where they are good");
    auto asked = std::make_shared<Asked>();
    command->add_option("decision", asked->decision, "Its x-tandem-decision (dec_...), or last")->required();
    command->add_option("outcome", asked->outcome, "good, bad, or a number from 0 to 1")->required();
    command->add_option("--comment", asked->comment, "A note, kept with it");
    command->callback([&, asked] {
        action = [&globals, asked] { return feedback(globals, asked->decision, asked->outcome, asked->comment); };
    });
}

void add_learning(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("learning", "What was learned of each model");
    group->require_subcommand(1);
    auto model = std::make_shared<std::string>();
    group->add_subcommand("show", "How many outcomes of each model, and what is expected of it")->callback([&] {
        action = [&globals] { return show(globals); };
    });
    auto* out = group->add_subcommand("export", "Every outcome, a line of JSON each");
    out->add_option("model", *model, "Of this one only");
    out->callback([&, model] { action = [&globals, model] { return export_all(globals, *model); }; });
    auto* gone = group->add_subcommand("reset", "Forget what was learned");
    gone->add_option("model", *model, "Of this one only");
    gone->callback([&, model] { action = [&globals, model] { return reset(globals, *model); }; });
}

}  // namespace tandem::cli
