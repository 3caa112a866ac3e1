// tandem cost hours: what the owner has worked on models at home.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "ledger/local/hours.h"

namespace tandem::cli {

namespace {

struct Asked {
    std::string time, kind = "operation", text, date;
    std::int64_t id = 0;
};

constexpr const char* kPath = "/tandem/v1/cost/hours";

std::optional<std::string> send(const Globals& globals, RemoteRequest request, int& code) {
    auto config = globals.load();
    if (!config) {
        code = report(globals, config.error());
        return {};
    }
    auto answer = ask(globals, *config, std::move(request), code);
    if (!answer) return {};
    if (globals.json) fmt::print("{}\n", answer->body);
    return std::move(answer->body);
}

int report_wrong(const Globals& globals, const Error& error) {
    report(globals, error);
    return kUsage;
}

int add(const Globals& globals, const Asked& asked) {
    if (const auto ms = ledger::local::work_from(asked.time); !ms) return report_wrong(globals, ms.error());
    if (const auto kind = ledger::local::kind_from(asked.kind); !kind) return report_wrong(globals, kind.error());
    if (!asked.date.empty() && !time_from(asked.date))
        return report_wrong(
            globals, {ErrorCode::invalid,
                      fmt::format("--date: expected a day such as 2026-11-20, got '{}'", printable(asked.date, 40))});
    json::Writer body;
    body.begin_object().member("time", asked.time).member("kind", asked.kind).member("text", asked.text);
    if (!asked.date.empty()) body.member("date", asked.date);
    body.end_object();
    int code = kOk;
    const auto answer = send(globals, {.method = "POST", .path = kPath, .headers = {}, .body = body.take()}, code);
    json::Document document;
    if (!answer || globals.json || !document.parse(*answer)) return code;
    const auto root = document.root();
    fmt::print("entry {}: {} h of {} on {}; `tandem cost local` counts it at hours.rate\n", root["id"].text(),
               root["hours"].text(), root["kind"].text(), root["date"].text().substr(0, 10));
    return kOk;
}

int list(const Globals& globals) {
    int code = kOk;
    const auto answer = send(globals, {.path = kPath, .headers = {}, .body = {}}, code);
    json::Document document;
    if (!answer || globals.json || !document.parse(*answer)) return code;
    fmt::print("{:>6}  {:<10}  {:<10}  {:>9}  {}\n", "entry", "date", "kind", "hours", "what");
    for (const auto entry : document.root()["entries"].children())
        fmt::print("{:>6}  {:<10}  {:<10}  {:>9}  {}\n", entry["id"].text(), entry["date"].text().substr(0, 10),
                   entry["kind"].text(), entry["hours"].text(), printable(entry["text"].text(), 80));
    return kOk;
}

int remove(const Globals& globals, const Asked& asked) {
    int code = kOk;
    const auto answer = send(
        globals, {.method = "DELETE", .path = fmt::format("{}/{}", kPath, asked.id), .headers = {}, .body = {}}, code);
    if (answer && !globals.json) fmt::print("entry {} is taken out\n", asked.id);
    return code;
}

}  // namespace

void add_hours(CLI::App& group, Globals& globals, Action& action) {
    auto* hours = group.add_subcommand("hours", "Hours that you have worked on models at home");
    hours->require_subcommand(1);
    auto asked = std::make_shared<Asked>();

    auto* make = hours->add_subcommand("add", "Note some work; it counts at hours.rate");
    make->add_option("time", asked->time, "1.5h or 90m")->required();
    make->add_option("text", asked->text, "What was done")->required();
    make->add_option("--kind", asked->kind, "operation, upgrade or debug; operation by default");
    make->add_option("--date", asked->date, "The day of it, such as 2026-11-20; now by default");
    make->callback([&globals, &action, asked] { action = [&globals, asked] { return add(globals, *asked); }; });

    hours->add_subcommand("list", "All that was noted")->callback([&globals, &action] {
        action = [&globals] { return list(globals); };
    });

    auto* rm = hours->add_subcommand("rm", "Take one out");
    rm->add_option("entry", asked->id, "Its number, from `list`")
        ->required()
        ->check(CLI::Range(std::int64_t(1), std::int64_t(1'000'000'000)));
    rm->callback([&globals, &action, asked] { action = [&globals, asked] { return remove(globals, *asked); }; });
}

}  // namespace tandem::cli
