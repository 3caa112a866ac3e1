// tandem cost: what was used and paid.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "ledger/ledger.h"

namespace tandem::cli {

namespace {

std::string_view words_of(prices::PriceSource source) {
    switch (source) {
        case prices::PriceSource::owner:
            return "by models.*.price";
        case prices::PriceSource::book:
            return "by the price book";
        case prices::PriceSource::estimate:
            return "estimated by policy.unknown_price";
        case prices::PriceSource::provider:
            return "as providers charged";
        default:
            return "";
    }
}

void print_sources(const ledger::CostRow& total, const std::string& currency) {
    std::vector<std::string> parts;
    for (const auto& [source, sum] : total.sources)
        if (sum != Money{}) parts.push_back(fmt::format("{} {} {}", sum.text(), currency, words_of(source)));
    if (!parts.empty()) fmt::print("\n{}\n", join(parts, ", "));
    if (total.unpriced > 0)
        fmt::print(
            "\nBEWARE: {} attempts went to models of which no price is known, and are not in the sums: `tandem "
            "models` names them; set models.NAME.price or policy.unknown_price\n",
            total.unpriced);
}

void write_sources(json::Writer& out, const ledger::CostRow& row) {
    out.key("sources").begin_object();
    for (const auto& [source, sum] : row.sources)
        if (source != prices::PriceSource::free) out.member(prices::name_of(source), sum.micros());
    out.end_object();
}

int cost(const Globals& globals, const std::string& by, const std::string& since_text) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto since = since_from(since_text);
    if (!since) {
        report(globals, since.error());
        return kUsage;
    }
    auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    const auto group =
        static_cast<ledger::CostBy>(std::ranges::find(ledger::kCostByNames, by) - ledger::kCostByNames.begin());
    const auto rows = ledger::cost_by(**database, group, *since);
    if (!rows) return report(globals, rows.error());
    const auto currency = ledger::currency_of(**database, config->currency);
    if (!currency) return report(globals, currency.error());
    ledger::CostRow total;
    total.group = "total";
    json::Writer out;
    out.begin_object().member("currency", *currency).member("by", by).key("rows").begin_array();
    std::size_t widest = 28;
    for (const auto& row : *rows) widest = std::max(widest, std::min<std::size_t>(row.group.size(), 64));
    if (!globals.json)
        fmt::print("{:<{}} {:>8} {:>12} {:>12} {:>12} {:>12} {:>16}\n", by, widest, "attempts", "tokens in", "cached",
                   "cache write", "tokens out", *currency);
    auto line = [&](const ledger::CostRow& row) {
        fmt::print("{:<{}} {:>8} {:>12} {:>12} {:>12} {:>12} {:>16}{}{}\n", row.group, widest, row.attempts,
                   row.usage.input.count, row.usage.cached_input.count, row.usage.cache_write.count,
                   row.usage.output.count, row.cost.text(), row.usage.estimated ? "  (partly estimated)" : "",
                   row.unpriced > 0 ? fmt::format("  AND {} OF UNKNOWN PRICE", row.unpriced) : "");
    };
    for (const auto& row : *rows) {
        if (!globals.json) line(row);
        out.begin_object()
            .member("group", row.group)
            .member("attempts", row.attempts)
            .member("input", row.usage.input.count);
        out.member("cached_input", row.usage.cached_input.count)
            .member("cache_write", row.usage.cache_write.count)
            .member("output", row.usage.output.count)
            .member("reasoning", row.usage.reasoning.count);
        out.member("estimated", row.usage.estimated).member("cost_micros", row.cost.micros());
        write_sources(out, row);
        out.member("unpriced", row.unpriced).end_object();
        total.attempts += row.attempts;
        total.usage = total.usage + row.usage;
        total.cost += row.cost;
        total.unpriced += row.unpriced;
        for (const auto& [source, sum] : row.sources) total.sources[source] += sum;
    }
    out.end_array().member("total_micros", total.cost.micros());
    write_sources(out, total);
    out.member("unpriced", total.unpriced).end_object();
    if (globals.json) {
        fmt::print("{}\n", out.text());
        return kOk;
    }
    line(total);
    print_sources(total, *currency);
    return kOk;
}

}  // namespace

void add_cost(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand("cost", "What was used and paid");
    auto by = std::make_shared<std::string>("model");
    auto since = std::make_shared<std::string>();
    command->add_option("--by", *by, "model, zone, key or day")->check(CLI::IsMember({"model", "zone", "key", "day"}));
    command->add_option("--since", *since, "30m, 24h, 7d, or a date; all time by default");
    add_break_even(*command, globals, action);
    command->callback([&, command, by, since] {
        if (!command->get_subcommands().empty()) return;  // which has set the action
        action = [&globals, by, since] { return cost(globals, *by, *since); };
    });
}

}  // namespace tandem::cli
