// tandem logs: what the running server has logged, what the ledger has of the time before, and what comes.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <thread>
#include <unordered_set>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "cli/terminal.h"
#include "ledger/ledger.h"

namespace tandem::cli {

namespace {

constexpr milliseconds kFollowPause{300};
constexpr milliseconds kAnswerTime{10'000};
constexpr const char* kUsualTime = "7d";  // of the ledger, where nobody says how far back

struct Asked {
    std::string key, status, since;
    std::size_t lines = 200;
    bool follow = false;
};

// "503", "5xx" or "error".
bool good_status(const std::string& text) {
    if (text.empty() || text == "error") return true;
    return text.size() == 3 && text[0] >= '1' && text[0] <= '5' &&
           (text.substr(1) == "xx" || text.find_first_not_of("0123456789") == std::string::npos);
}

// Of a request; lines of other things have no status of an answer.
bool has_status(const json::Value& line, const std::string& wanted) {
    if (wanted.empty()) return true;
    const auto status = std::string(line["status"].text());
    const auto outcome = line["outcome"].text();
    if (wanted == "error")
        return status.empty() ? outcome == "failed" || outcome == "refused" || outcome == "cut" || outcome == "lost" ||
                                    outcome == "skipped"
                              : status >= "400" || status == "0";
    if (status.empty()) return wanted.starts_with('2') && (outcome == "answered" || outcome == "cached");
    return wanted.ends_with("xx") ? status.front() == wanted.front() : status == wanted;
}

bool wanted(const json::Value& line, const Asked& asked) {
    if (!asked.key.empty() && line["key"].text() != asked.key) return false;
    if (asked.status.empty()) return true;
    return line["message"].text() == "request" && has_status(line, asked.status);
}

void print(const Globals& globals, const std::string& line) {
    fmt::print("{}\n", globals.json ? line : log::line_as_text(line));
}

// Prints the newest of the lines that are wanted.
void print_newest(const Globals& globals, const Asked& asked, std::string_view lines, std::deque<std::string> kept) {
    json::Document document;
    for (std::size_t at = 0; at < lines.size();) {
        const auto end = std::min(lines.find('\n', at), lines.size());
        const auto line = lines.substr(at, end - at);
        at = end + 1;
        if (document.parse(line) && wanted(document.root(), asked)) kept.emplace_back(line);
        if (kept.size() > asked.lines) kept.pop_front();
    }
    for (const auto& line : kept) print(globals, line);
    std::fflush(stdout);
}

// What the ledger has of a request, as a line of the log.
std::string line_of(const ledger::RequestRow& row) {
    json::Writer out;
    out.begin_object().member("time", log::time_text(row.time)).member("level", "info").member("message", "request");
    out.member("outcome", row.outcome).member("key", row.key).member("decision", row.decision);
    out.member("alias", row.alias).member("label", name_of(row.label));
    if (!row.model.empty())
        out.member("model", row.model).member("provider", row.provider).member("zone", name_of(row.zone));
    if (row.attempts > 1) out.member("attempts", row.attempts);
    out.member("tokens_in", row.input.count).member("tokens_out", row.output.count);
    out.raw_member("cost", row.cost.text()).member("ms", row.total_ms);
    return out.end_object().take();
}

// The decisions that lines of the log name.
std::unordered_set<std::string> decisions_in(std::string_view lines) {
    std::unordered_set<std::string> decisions;
    json::Document document;
    for (std::size_t at = 0; at < lines.size();) {
        const auto end = std::min(lines.find('\n', at), lines.size());
        if (document.parse(lines.substr(at, end - at)) && document.root()["message"].text() == "request")
            decisions.emplace(document.root()["decision"].text());
        at = end + 1;
    }
    return decisions;
}

// The newest requests from `since` to before `until`, but those that `remembered` has lines of: a request that ended
// after the first of them may have begun before it.
Result<std::deque<std::string>> from_ledger(const config::Config& config, const Asked& asked, std::int64_t since,
                                            std::int64_t until, std::string_view remembered) {
    const auto known = decisions_in(remembered);
    auto database = open_ledger(config);
    if (!database) return fail(database.error());
    std::deque<std::string> lines;
    json::Document document;
    auto each = [&](const ledger::RequestRow& row) {
        if (known.contains(row.decision)) return;
        auto line = line_of(row);
        if (!document.parse(line) || !wanted(document.root(), asked)) return;
        lines.push_back(std::move(line));
        if (lines.size() > asked.lines) lines.pop_front();
    };
    if (auto ok = ledger::each_request(**database, since, until, each); !ok) return fail(ok.error());
    return lines;
}

struct Page {
    std::string lines;
    std::int64_t next = 0, first = 0;
};

Result<Page> ask_server(const Remote& remote, std::int64_t after, std::int64_t since = 0) {
    auto answer = call(remote, {.path = fmt::format("/tandem/v1/logs?after={}&since={}", after, since),
                                .headers = {},
                                .body = {},
                                .timeout = kAnswerTime});
    if (!answer) return fail(answer.error());
    json::Document document;
    if (answer->status != 200 || !document.parse(answer->body))
        return fail(ErrorCode::upstream, error_message(*answer));
    const auto root = document.root();
    return Page{std::string(root["lines"].text()), root["next"].integer().value_or(0),
                root["first"].integer().value_or(0)};
}

// Goes on until it is interrupted, also when the server is started anew.
[[noreturn]] void follow(const Globals& globals, const Asked& asked, const Remote& remote, std::int64_t next) {
    bool answers = true;
    while (true) {
        std::this_thread::sleep_for(kFollowPause);
        auto page = ask_server(remote, next);
        if (!page) {
            if (std::exchange(answers, false)) print_dim("no server answers now; waiting for it");
            continue;
        }
        answers = true;
        if (page->next < next) page = ask_server(remote, 0);  // another server, with a log of its own
        if (!page) continue;
        next = page->next;
        Asked all = asked;
        all.lines = SIZE_MAX;
        print_newest(globals, all, page->lines, {});
    }
}

int logs(const Globals& globals, const Asked& asked) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto since = since_from(asked.since);
    if (!since || !good_status(asked.status)) {
        report(globals, since
                            ? Error{ErrorCode::invalid,
                                    fmt::format("--status: expected a status such as 503, 4xx, 5xx or error, got '{}'",
                                                printable(asked.status, 40))}
                            : since.error());
        return kUsage;
    }
    const auto remote = remote_of(*config);
    auto page = ask_server(remote, 0, *since);
    if (!page && asked.follow) {
        report(globals, page.error());
        return page.error().code == ErrorCode::unavailable ? kUnreachable : kFailed;
    }
    std::deque<std::string> before;
    const auto first = page && page->first > 0 ? page->first : INT64_MAX;
    const bool ledger = !page || (!asked.since.empty() && *since < first);
    if (ledger) {
        const auto from = asked.since.empty() ? since_from(kUsualTime).value_or(0) : *since;
        auto read = from_ledger(*config, asked, from, first, page ? page->lines : "");
        if (!read && !page) return report(globals, read.error());
        if (read) before = std::move(*read);
        if (!page) print_dim("no server answers, so this is what the ledger has");
    }
    print_newest(globals, asked, page ? page->lines : std::string(), std::move(before));
    if (asked.follow) follow(globals, asked, remote, page->next);
    return kOk;
}

}  // namespace

void add_logs(CLI::App& app, Globals& globals, Action& action) {
    auto* command = app.add_subcommand(
        "logs", "What the server has logged: a line a request, and what happened besides; never what was asked");
    auto asked = std::make_shared<Asked>();
    command->add_flag("-f,--follow", asked->follow, "Go on with what comes");
    command->add_option("-k,--key", asked->key, "Of this key only");
    command->add_option("--status", asked->status, "Requests that were answered so: 503, 4xx, 5xx, or error");
    command->add_option("--since", asked->since, "30m, 24h, 7d, or a date; the requests of earlier servers too");
    command->add_option("-n,--lines", asked->lines, "The newest of so many")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    command->callback([&, asked] { action = [&globals, asked] { return logs(globals, *asked); }; });
}

}  // namespace tandem::cli
