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
    std::string time, kind, text, date;
    std::int64_t id = 0, noticed = 0;
};

constexpr std::int64_t kMostNumber = 1'000'000'000;
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
    const auto kind = !asked.kind.empty() || asked.noticed != 0 ? asked.kind : std::string("operation");
    if (!kind.empty())
        if (const auto known = ledger::local::kind_from(kind); !known) return report_wrong(globals, known.error());
    if (asked.text.empty() && asked.noticed == 0)
        return report_wrong(globals, {ErrorCode::invalid,
                                      "say what was done: tandem cost hours add 1.5h \"vLLM upgrade\", or --for ENTRY "
                                      "for what `tandem cost hours list` says was noticed"});
    if (!asked.date.empty() && !time_from(asked.date))
        return report_wrong(
            globals, {ErrorCode::invalid,
                      fmt::format("--date: expected a day such as 2026-11-20, got '{}'", printable(asked.date, 40))});
    json::Writer body;
    body.begin_object().member("time", asked.time);
    if (!kind.empty()) body.member("kind", kind);
    if (!asked.text.empty()) body.member("text", asked.text);
    if (!asked.date.empty()) body.member("date", asked.date);
    if (asked.noticed != 0) body.member("noticed", std::to_string(asked.noticed));
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
    bool any = false;
    for (const auto one : document.root()["noticed"].children()) {
        if (!std::exchange(any, true))
            fmt::print(
                "\nnoticed, and not counted:  tandem cost hours add 30m --for N,  or  tandem cost hours dismiss "
                "N\n");
        const auto count = one["count"].integer().value_or(1);
        fmt::print("{:>6}  {:<10}  {:<10}  {}{}\n", one["id"].text(), one["date"].text().substr(0, 10),
                   one["kind"].text(), printable(one["text"].text(), 200),
                   count > 1 ? fmt::format(" ({} times)", count) : "");
    }
    return kOk;
}

int remove(const Globals& globals, const Asked& asked, std::string_view below, std::string_view done) {
    int code = kOk;
    const auto path = fmt::format("{}{}/{}", kPath, below, asked.id);
    const auto answer = send(globals, {.method = "DELETE", .path = path, .headers = {}, .body = {}}, code);
    if (answer && !globals.json) fmt::print("entry {} is {}\n", asked.id, done);
    return code;
}

}  // namespace

void add_hours(CLI::App& group, Globals& globals, Action& action) {
    auto* hours = group.add_subcommand("hours", "Hours that you have worked on models at home");
    hours->require_subcommand(1);
    auto asked = std::make_shared<Asked>();

    auto* make = hours->add_subcommand("add", "Note some work; it counts at hours.rate");
    make->add_option("time", asked->time, "1.5h or 90m")->required();
    make->add_option("text", asked->text, "What was done");
    make->add_option("--kind", asked->kind, "operation, upgrade or debug; operation by default");
    make->add_option("--date", asked->date, "The day of it, such as 2026-11-20; now by default");
    make->add_option("--for", asked->noticed, "The number of what was noticed, from `list`: it says what was done")
        ->check(CLI::Range(std::int64_t(1), kMostNumber));
    make->callback([&globals, &action, asked] { action = [&globals, asked] { return add(globals, *asked); }; });

    hours->add_subcommand("list", "All that was noted, and what was noticed")->callback([&globals, &action] {
        action = [&globals] { return list(globals); };
    });

    auto* rm = hours->add_subcommand("rm", "Take one out");
    rm->add_option("entry", asked->id, "Its number, from `list`")
        ->required()
        ->check(CLI::Range(std::int64_t(1), kMostNumber));
    rm->callback([&globals, &action, asked] {
        action = [&globals, asked] { return remove(globals, *asked, "", "taken out"); };
    });

    auto* dismiss = hours->add_subcommand("dismiss", "Forget something that was noticed");
    dismiss->add_option("entry", asked->id, "Its number, from `list`")
        ->required()
        ->check(CLI::Range(std::int64_t(1), kMostNumber));
    dismiss->callback([&globals, &action, asked] {
        action = [&globals, asked] { return remove(globals, *asked, "/noticed", "forgotten"); };
    });
}

}  // namespace tandem::cli
