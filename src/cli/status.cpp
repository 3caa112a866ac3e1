// tandem status: how the running server and its providers are.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

// A breaker's state in an operator's words: "closed" reads as if nobody could go there.
std::string_view state_in_words(std::string_view breaker) {
    if (breaker == "closed") return "ok";
    if (breaker == "open") return "left alone";
    if (breaker == "half open") return "on trial";
    return breaker;
}

void print_budgets(const json::Value& root) {
    for (const auto budget : root["budgets"].children()) {
        const auto window = budget["window"].text(), ends = budget["ends"].text();
        const bool tokens = budget["token_limit"].integer().has_value();
        const std::string unit(tokens ? "tokens" : root["currency"].text());
        fmt::print("budget of {}: {} of {} {} {} spent{}{}{}\n", budget["of"].text(),
                   budget[tokens ? "tokens" : "spent"].text(), budget[tokens ? "token_limit" : "limit"].text(), unit,
                   window == "total" ? std::string("in total")
                                     : fmt::format("{} {}", window.starts_with("the last") ? "in" : "per", window),
                   ends.empty() ? std::string() : fmt::format(", until {}", ends),
                   budget["soft"].boolean().value_or(false) ? " (soft: it refuses nothing)" : "",
                   budget["on_budget"].text() == "cheaper"
                       ? std::string()
                       : fmt::format("; when it has no room: {}", budget["on_budget"].text()));
    }
}

int status(const Globals& globals) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    const auto answer = ask(globals, *config, {.path = "/tandem/v1/status", .headers = {}, .body = {}}, code);
    if (!answer) return code;
    json::Document document;
    if (globals.json || !document.parse(answer->body)) {
        fmt::print("{}\n", answer->body);
        return kOk;
    }
    const auto root = document.root();
    fmt::print("tandem {} with {}, data in {}\n", root["version"].text(), root["config"].text(), root["data"].text());
    if (const auto refused = root["config_refused"].text(); !refused.empty())
        fmt::print("the config on disk was refused, and the one before is in force: {}\n", refused);
    fmt::print("{:<20} {:<6} {:<10} {:>8} {:>9} {:>10}\n", "provider", "zone", "state", "attempts", "failures", "keys");
    for (const auto provider : root["providers"].children()) {
        const auto keys = provider["keys"].integer().value_or(1),
                   resting = provider["keys_resting"].integer().value_or(0);
        fmt::print("{:<20} {:<6} {:<10} {:>8} {:>8.0f}% {:>10}\n", provider["id"].text(), provider["zone"].text(),
                   state_in_words(provider["breaker"].text()), provider["attempts"].text(),
                   provider["failure_share"].number().value_or(0) * 100, fmt::format("{} of {}", keys - resting, keys));
        if (const auto reason = provider["reason"].text(); !reason.empty())
            fmt::print("  {}{}\n", reason,
                       provider["seconds_left"].integer() ? fmt::format("; {} s left", provider["seconds_left"].text())
                                                          : std::string());
    }
    for (const auto refused : root["refused_models"].children())
        fmt::print("model {} is asked where no other may: {}\n", refused["model"].text(), refused["why"].text());
    print_budgets(root);
    const auto memory = root["memory"];
    const auto mib = [&](std::string_view name) { return memory[name].integer().value_or(0) >> 20; };
    fmt::print("memory for clients: {} of {} MiB held, {} MiB at most, {} requests refused\n", mib("held_bytes"),
               mib("limit_bytes"), mib("most_bytes"), memory["refused"].text());
    return kOk;
}

}  // namespace

void add_status(CLI::App& app, Globals& globals, Action& action) {
    app.add_subcommand("status", "How the running server and its providers are")->callback([&] {
        action = [&globals] { return status(globals); };
    });
}

}  // namespace tandem::cli
