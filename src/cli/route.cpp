// tandem route: how good the router is on answers that are known, and where prompts would go.
#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "cli/route_try.h"
#include "learning/evaluate.h"

namespace tandem::cli {

namespace {

struct Asked {
    std::string file;
    learning::EvaluateSettings settings;
};

void write_spread(json::Writer& out, std::string_view name, const learning::Spread& s) {
    out.key(name).begin_object();
    out.raw_member("mean", fmt::format("{:.4f}", s.mean)).raw_member("low", fmt::format("{:.4f}", s.low));
    out.raw_member("high", fmt::format("{:.4f}", s.high)).end_object();
}

std::string text_of(const learning::Spread& s) {
    return fmt::format("{:.3f} ({:.3f} to {:.3f})", s.mean, s.low, s.high);
}

int evaluate(const Globals& globals, const Asked& asked) {
    std::ifstream file;
    const auto in = open_input(asked.file, file);
    if (!in) return report(globals, in.error());
    const std::string csv{std::istreambuf_iterator<char>(**in), {}};
    const auto rows = learning::read_answers(csv);
    if (!rows) return report(globals, {rows.error().code, asked.file + ": " + rows.error().message});
    const auto result = learning::evaluate(*rows, asked.settings);
    if (!result) return report(globals, result.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("rows", result->rows).member("train", asked.settings.train);
        out.member("seed", static_cast<std::int64_t>(asked.settings.seed)).member("repeats", asked.settings.repeats);
        out.raw_member("weak", fmt::format("{:.4f}", result->weak))
            .raw_member("strong", fmt::format("{:.4f}", result->strong));
        out.key("routers").begin_object();
        for (const auto& q : result->routers) {
            out.key(q.router).begin_object();
            write_spread(out, "apgr", q.apgr);
            write_spread(out, "calls50", q.calls50);
            write_spread(out, "calls80", q.calls80);
            out.end_object();
        }
        out.end_object();
        write_spread(out, "ece", result->error);
        if (result->cascades) write_spread(out, "cascade_gain", result->gain);
        out.end_object();
        fmt::print("{}\n", out.text());
        return kOk;
    }
    fmt::print(
        "{} rows; the weak model is right on {:.1f} %, the strong one on {:.1f} %. Learned from {}, tested on {}, {} "
        "times\n\n",
        result->rows, result->weak * 100, result->strong * 100, asked.settings.train,
        result->rows - asked.settings.train, asked.settings.repeats);
    fmt::print("{:<10} {:<26} {:<26} {:<26}\n", "router", "APGR (95 %)", "strong calls for 50 %",
               "for 80 % of the gap");
    for (const auto& q : result->routers)
        fmt::print("{:<10} {:<26} {:<26} {:<26}\n", q.router, text_of(q.apgr), text_of(q.calls50), text_of(q.calls80));
    fmt::print("\ncalibration error (ECE) of the predicted share of right answers: {}\n", text_of(result->error));
    if (result->cascades)
        fmt::print(
            "cascade less routing alone, share of the gap at equal cost (a strong call costs {} weak ones): {}\n",
            asked.settings.strong_price, text_of(result->gain));
    return kOk;
}

}  // namespace

void add_route(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("route", "Where prompts would go, and how good the router's predictions are");
    group->require_subcommand(1);
    add_route_try(*group, globals, action);
    auto asked = std::make_shared<Asked>();
    auto* command = group->add_subcommand(
        "evaluate", "Learn from some rows of a CSV (prompt, weak right, strong right), and be tested on the others");
    command
        ->add_option("file", asked->file,
                     "The CSV; a column NAME_response of the weak model lets --cascade see its answers")
        ->required();
    command->add_option("--train", asked->settings.train, "Rows to learn from, one by one")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    command->add_option("--seed", asked->settings.seed, "Of the shuffles")->capture_default_str();
    command->add_option("--repeat", asked->settings.repeats, "How many shuffles")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_flag("--cascade", asked->settings.cascade, "Also: ask the weak model first, and look at its answer");
    command->add_option("--strong-price", asked->settings.strong_price, "Of a strong call, in weak ones")
        ->check(CLI::Range(1.01, 1e6))
        ->capture_default_str();
    command->callback([&, asked] { action = [&globals, asked] { return evaluate(globals, *asked); }; });
}

}  // namespace tandem::cli
