// tandem cost local: what models at home cost in a month, and what the cloud would have taken.
#include <fmt/format.h>

#include "base/world.h"
#include "cli/cli.h"
#include "ledger/ledger.h"
#include "ledger/local/month.h"

namespace tandem::cli {

namespace {

int local(const Globals& globals, const ledger::local::Asked& asked) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    const auto currency = ledger::currency_of(**database, config->currency);
    if (!currency) return report(globals, currency.error());
    const auto month = ledger::local::month_of(**database, *config, asked, unix_ms(system_clock()->wall()));
    if (!month) {
        const int code = report(globals, month.error());
        return month.error().code == ErrorCode::invalid ? kUsage : code;
    }
    fmt::print("{}", globals.json ? ledger::local::as_json(*month, *currency) + "\n"
                                  : ledger::local::as_text(*month, *currency));
    return kOk;
}

}  // namespace

void add_local_cost(CLI::App& group, Globals& globals, Action& action) {
    auto* command = group.add_subcommand("local", "What models at home cost in a month, beside the cloud");
    auto asked = std::make_shared<ledger::local::Asked>();
    command->add_option("--month", asked->month, "Such as 2026-11, in UTC; the one that it is by default");
    command->add_option("--against", asked->against,
                        "A cloud model of tandem.yaml, or PROVIDER/MODEL of the price book; by default the dearest of "
                        "tandem.yaml");
    command->callback([&globals, &action, asked] { action = [&globals, asked] { return local(globals, *asked); }; });
}

}  // namespace tandem::cli
