// tandem audit: what left this machine, and whether its record is whole.
#include <fmt/format.h>

#include "api/explain.h"
#include "base/json.h"
#include "cli/cli.h"
#include "privacy/egress.h"

namespace tandem::cli {

namespace {

int verify(const Globals& globals) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    const auto verdict = privacy::verify_egress(**database);
    if (!verdict) return report(globals, verdict.error());
    if (globals.json) {
        json::Writer out;
        out.begin_object().member("records", verdict->records).member("whole", verdict->broken.empty());
        if (!verdict->broken.empty()) out.member("broken", verdict->broken);
        out.end_object();
        fmt::print("{}\n", out.text());
    } else if (verdict->broken.empty()) {
        fmt::print("the egress record is whole: {} records, each follows from the one before\n", verdict->records);
    } else {
        fmt::print(stderr, "the egress record is BROKEN: {}\n", verdict->broken);
    }
    return verdict->broken.empty() ? kOk : kBroken;
}

void print_json(const privacy::EgressRecord& r) {
    json::Writer out;
    out.begin_object()
        .member("sequence", r.sequence)
        .member("time", r.time)
        .member("decision", r.decision)
        .member("provider", r.provider)
        .member("model", r.model);
    out.member("label", name_of(r.label))
        .member("rule", r.rule)
        .member("bytes", r.bytes)
        .member("body_sha256", r.body_sha256)
        .member("previous", r.previous);
    out.member("hash", r.hash).end_object();
    fmt::print("{}\n", out.text());
}

int list(const Globals& globals, const std::string& since_text) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto since = since_from(since_text);
    if (!since) {
        report(globals, since.error());
        return kUsage;
    }
    auto database = open_ledger(*config);
    if (!database) return report(globals, database.error());
    auto listed = privacy::list_egress(**database, *since, [&](const privacy::EgressRecord& r) {
        if (globals.json)
            print_json(r);
        else
            fmt::print("{:>7}  {}  {:<14} {:<20} {:<9} {:>9} bytes  rule {}  {}\n", r.sequence, api::time_text(r.time),
                       r.provider, r.model, name_of(r.label), r.bytes, r.rule, r.decision);
    });
    if (!listed) return report(globals, listed.error());
    return kOk;
}

}  // namespace

void add_audit(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("audit", "What left this machine");
    group->require_subcommand(1);
    auto* check =
        group->add_subcommand("verify", "Follow the hash chain of the egress record; exit 6 where it is broken");
    check->callback([&] { action = [&globals] { return verify(globals); }; });
    auto* show = group->add_subcommand("list", "Print the records, oldest first; with --json one JSON object a line");
    auto since = std::make_shared<std::string>();
    show->add_option("--since", *since, "30m, 24h, 7d, or a date");
    show->callback([&, since] { action = [&globals, since] { return list(globals, *since); }; });
}

}  // namespace tandem::cli
