// tandem cost: what was used and paid.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/world.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "ledger/local/month.h"
#include "ledger/reports/render.h"

namespace tandem::cli {

namespace {

struct Options {
    std::vector<std::string> by;
    std::string since, until, html;
    bool csv = false;
};

// What was said in wrong words is a usage error; a ledger that cannot be read is not.
int report_wrong(const Globals& globals, const Error& error) {
    const int code = report(globals, error);
    return error.code == ErrorCode::invalid ? kUsage : code;
}

int cost(const Globals& globals, const Options& options) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    ledger::reports::Asked asked{join(options.by, ","), options.since, options.until, "text"};
    if (globals.json) asked.format = "json";
    if (options.csv) asked.format = "csv";
    if (!options.html.empty()) asked.format = "html";
    const auto now = unix_ms(system_clock()->wall());
    const auto currency = ledger::currency_of(**database, config->currency);
    if (!currency) return report(globals, currency.error());
    ledger::reports::Beyond beyond;
    if (asked.format == "html") {
        auto known = ledger::local::beyond_of(**database, *config, asked, now);
        if (!known) return report_wrong(globals, known.error());
        beyond = std::move(*known);
    }
    const auto made = ledger::reports::answer(**database, asked, *currency, now, std::move(beyond));
    if (!made) return report_wrong(globals, made.error());
    if (options.html.empty()) {
        std::fwrite(made->body.data(), 1, made->body.size(), stdout);
        if (asked.format == "json") fmt::print("\n");
        return kOk;
    }
    if (options.html == "-") {
        std::fwrite(made->body.data(), 1, made->body.size(), stdout);
        return kOk;
    }
    if (auto ok = write_private_file(options.html, made->body); !ok) return report(globals, ok.error());
    if (!globals.json) fmt::print("{} is written; open it in a browser\n", options.html);
    return kOk;
}

struct Recompute {
    std::string since, until;
    bool own_prices = false, dry_run = false;
};

int recompute(const Globals& globals, const Recompute& asked) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    json::Writer body;
    body.begin_object().member("since", asked.since);
    if (!asked.until.empty()) body.member("until", asked.until);
    body.member("own_prices", asked.own_prices).member("dry_run", asked.dry_run).end_object();
    int code = kOk;
    const auto answer =
        ask(globals, *config,
            {.method = "POST", .path = "/tandem/v1/cost/recompute", .headers = {}, .body = body.take()}, code);
    if (!answer) return code;
    json::Document document;
    if (globals.json || !document.parse(answer->body)) {
        fmt::print("{}\n", answer->body);
        return kOk;
    }
    const auto root = document.root();
    const auto money = [](const json::Value& micros) {
        return Money::from_micros(micros.integer().value_or(0)).text();
    };
    fmt::print("{:<12} {:>10} {:>18} {:>18}\n", "day", "attempts", "before",
               fmt::format("after, {}", config->currency));
    for (const auto day : root["days"].children())
        fmt::print("{:<12} {:>10} {:>18} {:>18}\n", day["day"].text(), day["attempts"].text(),
                   money(day["before_micros"]), money(day["after_micros"]));
    fmt::print("{:<12} {:>10} {:>18} {:>18}\n\n", "total", root["attempts"].text(), money(root["before_micros"]),
               money(root["after_micros"]));
    const auto left = root["left"];
    fmt::print(
        "{} attempts were looked at; left as they are: {} that their provider charged, {} by models.*.price{}, {} "
        "of models that are no longer in tandem.yaml\n",
        root["seen"].text(), left["charged_by_provider"].text(), left["priced_by_owner"].text(),
        asked.own_prices ? "" : " (--own-prices takes them too)", left["model_gone"].text());
    if (asked.dry_run)
        fmt::print("nothing is written: leave out --dry-run for that\n");
    else if (root["attempts"].integer() != 0)
        fmt::print("the ledger is changed, and keeps what was booked before; budgets go by it from now on\n");
    return kOk;
}

void add_recompute(CLI::App& group, Globals& globals, Action& action) {
    auto* command = group.add_subcommand("recompute", "Price attempts anew, by the book as it is now");
    auto asked = std::make_shared<Recompute>();
    command->add_option("--since", asked->since, "From when on the price was wrong: 7d, or a date")->required();
    command->add_option("--until", asked->until, "The first moment that is left as it is; now by default");
    command->add_flag("--own-prices", asked->own_prices, "Also what was booked by models.*.price");
    command->add_flag("--dry-run", asked->dry_run, "Show what would come of it, and write nothing");
    command->callback(
        [&globals, &action, asked] { action = [&globals, asked] { return recompute(globals, *asked); }; });
}

}  // namespace

void add_cost(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("cost", "What was used and paid");
    auto options = std::make_shared<Options>();
    command
        ->add_option("--by", options->by,
                     fmt::format("One or two of {}: model,day; model by default",
                                 fmt::join(ledger::reports::kDimensionNames, ", ")))
        ->delimiter(',')
        ->take_all();
    command->add_option("--since", options->since, "30m, 24h, 7d, or a date; all time by default");
    command->add_option("--until", options->until,
                        "The first moment that no longer counts, as --since; now by default");
    auto* csv = command->add_flag("--csv", options->csv, "As CSV, for a spreadsheet");
    command->add_option("--html", options->html, "Write a page with charts to this file; - for the standard output")
        ->excludes(csv);
    add_recompute(*command, globals, action);
    add_reconcile(*command, globals, action);
    add_break_even(*command, globals, action);
    add_local_cost(*command, globals, action);
    add_hours(*command, globals, action);
    add_cost_compare(*command, globals, action);
    command->callback([&, command, options] {
        if (!command->get_subcommands().empty()) return;  // which has set the action
        action = [&globals, options] { return cost(globals, *options); };
    });
}

}  // namespace tandem::cli
