// tandem probe: finds out what a model really does, and shows what was found.
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/remote.h"
#include "probe/tasks.h"

namespace tandem::cli {

namespace {

constexpr const char* kPath = "/tandem/v1/probes";
constexpr milliseconds kPause{300};

// Of each kind, what was right of what was asked.
std::string summary(const json::Value& model) {
    std::map<std::string, std::pair<int, int>, std::less<>> kinds;
    int outdated = 0;
    for (const auto r : model["results"].children()) {
        if (!r["passed"].exists()) continue;
        auto& [right, all] = kinds[std::string(r["kind"].text())];
        ++all;
        right += r["passed"].boolean() == true ? 1 : 0;
        outdated += r["current"].boolean() == false ? 1 : 0;
    }
    std::string line;
    for (const auto& [kind, counts] : kinds)
        line += fmt::format("{}{} {}/{}", line.empty() ? "" : ", ", kind, counts.first, counts.second);
    if (line.empty()) return "nothing was measured";
    if (outdated > 0) line += fmt::format("; {} of it when another model had the name", outdated);
    return line;
}

int show(const Globals& globals) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    const auto answer = ask(globals, *config, {.path = kPath, .headers = {}, .body = {}}, code);
    if (!answer) return code;
    json::Document document;
    if (globals.json || !document.parse(answer->body)) {
        fmt::print("{}\n", answer->body);
        return kOk;
    }
    const auto models = document.root()["models"];
    for (const auto model : models.children()) fmt::print("{}: {}\n", model["model"].text(), summary(model));
    if (models.size() == 0) fmt::print("no model was measured; `tandem probe MODEL` asks one some questions\n");
    return kOk;
}

int probe(const Globals& globals, const std::string& model, int each) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    json::Writer asked;
    asked.begin_object().member("model", model).member("each", each).end_object();
    if (!ask(globals, *config, {.method = "POST", .path = kPath, .headers = {}, .body = asked.take()}, code))
        return code;
    std::set<std::string, std::less<>> seen;
    const auto began = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    while (true) {
        const auto answer =
            ask(globals, *config, {.path = fmt::format("{}/{}", kPath, model), .headers = {}, .body = {}}, code);
        if (!answer) return code;
        json::Document document;
        if (auto ok = document.parse(answer->body); !ok) return report(globals, ok.error());
        const auto root = document.root();
        for (const auto r : root["results"].children()) {
            if (globals.json || r["time"].integer().value_or(0) < began.count() - 1000) continue;
            if (!seen.insert(std::string(r["task"].text())).second) continue;
            const auto passed = r["passed"].boolean();
            fmt::print("{:<16} {:<6} {:>7.1f} s{}{}\n", r["task"].text(),
                       !passed   ? "-"
                       : *passed ? "right"
                                 : "wrong",
                       static_cast<double>(r["milliseconds"].integer().value_or(0)) / 1000,
                       r["decision"].exists() ? fmt::format("  {}", r["decision"].text()) : "",
                       r["note"].exists() ? "  " + printable(r["note"].text(), 200) : "");
            std::fflush(stdout);
        }
        if (root["running"].boolean() == true) {
            std::this_thread::sleep_for(kPause);
            continue;
        }
        if (globals.json) {
            fmt::print("{}\n", answer->body);
        } else {
            fmt::print("{}: {}\n", model, summary(root));
            if (const auto ended = root["ended"].text(); !ended.empty()) fmt::print("it ended early: {}\n", ended);
            fmt::print(
                "`tandem explain ID` shows what was asked of whom and what it cost, `tandem learning show` what "
                "is expected now\n");
        }
        return root["ended"].exists() ? kFailed : kOk;
    }
}

int cancel(const Globals& globals, const std::string& model) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    const auto answer =
        ask(globals, *config,
            {.method = "DELETE", .path = fmt::format("{}/{}", kPath, model), .headers = {}, .body = {}}, code);
    if (!answer) return code;
    if (globals.json)
        fmt::print("{}\n", answer->body);
    else
        fmt::print("the probe of {} ends after the question that is under way\n", model);
    return kOk;
}

}  // namespace

void add_probe(CLI::App& app, Globals& globals, Action& action) {
    struct Asked {
        std::string model;
        int each = probe::kUsualEach;
        bool cancel = false;
    };
    auto asked = std::make_shared<Asked>();
    auto* command = app.add_subcommand(
        "probe",
        "Ask a model questions whose answers can be checked, and learn from that; without one, what was found");
    auto* model = command->add_option("model", asked->model, "The model; its provider is paid as for any request");
    command->add_flag("--cancel", asked->cancel, "End the model's probe after the question that is under way")
        ->needs(model);
    command->add_option("--each", asked->each, "Questions of each of eight kinds")
        ->check(CLI::Range(1, probe::kMostEach))
        ->capture_default_str();
    command->callback([&, asked] {
        action = [&globals, asked] {
            if (asked->cancel) return cancel(globals, asked->model);
            return asked->model.empty() ? show(globals) : probe(globals, asked->model, asked->each);
        };
    });
}

}  // namespace tandem::cli
