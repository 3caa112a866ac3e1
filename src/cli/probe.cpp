// tandem probe: finds out what a model really does, and shows what was found.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/measured.h"
#include "cli/remote.h"
#include "probe/suite.h"
#include "probe/tasks.h"
#include "probe/wanted.h"

namespace tandem::cli {

namespace {

constexpr const char* kPath = "/tandem/v1/probes";
constexpr milliseconds kPause{300};

struct Asked {
    std::string model;
    std::vector<std::string> suites;
    int each = probe::kUsualEach;
    std::int64_t seed = probe::kUsualSeed;
    std::int64_t longest = 0;
    std::string budget;
    bool idle = false, cancel = false, forget = false;
};

// Of each kind of `basics`, what was right of what was asked.
std::string summary(const json::Value& model) {
    std::map<std::string, std::pair<int, int>, std::less<>> kinds;
    int outdated = 0;
    for (const auto r : model["results"].children()) {
        if (!r["passed"].exists() || r["suite"].text() != "basics") continue;
        auto& [right, all] = kinds[std::string(r["kind"].text())];
        ++all;
        right += r["passed"].boolean() == true ? 1 : 0;
        outdated += r["current"].boolean() == false ? 1 : 0;
    }
    std::string line;
    for (const auto& [kind, counts] : kinds)
        line += fmt::format("{}{} {}/{}", line.empty() ? "" : ", ", kind, counts.first, counts.second);
    if (line.empty()) return model["findings"].size() > 0 ? "" : "nothing was measured";
    if (outdated > 0) line += fmt::format("; {} of it when another model had the name", outdated);
    return line;
}

bool has_intervals(const json::Value& model) {
    for (const json::Value one : model["findings"].children())
        if (one["suite"].text() != "basics") return true;
    return false;
}

// What the suites found, and which of it decides. `basics` has its summary.
void print_findings(const json::Value& model) {
    std::string suite;
    for (const json::Value one : model["findings"].children()) {
        if (one["suite"].text() == "basics") continue;
        if (suite != one["suite"].text()) {
            suite = one["suite"].text();
            fmt::print("  {} ({}, seed {})\n", suite, age_text(one["time"].integer().value_or(0)), one["seed"].text());
        }
        fmt::print("    {:<28} {}\n", one["name"].text(), finding_text(one));
    }
    if (const auto decides = measured_text(model); !decides.empty()) fmt::print("  routing goes by: {}\n", decides);
}

void print_legend(bool any) {
    if (any) fmt::print("in brackets: where the true value lies, 95 times of 100\n");
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
    bool any = false;
    for (const auto model : models.children()) {
        any = any || has_intervals(model);
        fmt::print("{}: {}{}\n", model["model"].text(), summary(model),
                   model["running"].boolean() == true ? " (it is being asked now)" : "");
        print_findings(model);
    }
    print_legend(any);
    if (models.size() == 0) fmt::print("no model was measured; `tandem probe MODEL` asks one some questions\n");
    return kOk;
}

std::string body_of(const Asked& asked) {
    json::Writer out;
    out.begin_object().member("model", asked.model);
    if (asked.forget) return out.member("forget", true).end_object().take();
    out.member("each", asked.each).member("seed", asked.seed).member("idle", asked.idle);
    if (asked.longest > 0) out.member("longest", asked.longest);
    if (!asked.budget.empty()) out.member("budget", asked.budget);
    if (!asked.suites.empty()) {
        out.key("suites").begin_array();
        for (const auto& suite : asked.suites) out.value(suite);
        out.end_array();
    }
    return out.end_object().take();
}

// Whether a suite is asked for; without any, `basics` is.
bool is_asked(const Asked& asked, std::string_view suite) {
    if (asked.suites.empty()) return suite == "basics";
    return std::ranges::any_of(asked.suites, [suite](const auto& one) { return one == suite || one == "all"; });
}

// The questions that were answered since `began`, each once.
void print_new(const Asked& asked, const json::Value& root, std::int64_t began,
               std::set<std::string, std::less<>>& seen) {
    for (const auto r : root["results"].children()) {
        if (r["time"].integer().value_or(0) < began || !is_asked(asked, r["suite"].text())) continue;
        if (!seen.insert(std::string(r["task"].text())).second) continue;
        const auto passed = r["passed"].boolean();
        fmt::print("{:<16} {:<6} {:>7.1f} s{}{}\n", r["task"].text(),
                   !passed   ? "-"
                   : *passed ? "right"
                             : "wrong",
                   static_cast<double>(r["milliseconds"].integer().value_or(0)) / 1000,
                   r["decision"].exists() ? fmt::format("  {}", r["decision"].text()) : "",
                   r["note"].exists() ? "  " + printable(r["note"].text(), 200) : "");
    }
    std::fflush(stdout);
}

void print_end(const std::string& model, const json::Value& root) {
    fmt::print("{}: {}\n", model, summary(root));
    print_findings(root);
    print_legend(has_intervals(root));
    if (const auto ended = root["ended"].text(); !ended.empty()) fmt::print("it ended early: {}\n", ended);
    fmt::print(
        "`tandem explain ID` shows what was asked of whom and what it cost, `tandem learning show` what "
        "is expected now\n");
}

int probe(const Globals& globals, const Asked& asked) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    if (!ask(globals, *config, {.method = "POST", .path = kPath, .headers = {}, .body = body_of(asked)}, code))
        return code;
    if (!globals.json)
        fmt::print(stderr,
                   "the server asks {0} now, also when this command ends; `tandem probe {0} --cancel` ends that\n",
                   asked.model);
    std::set<std::string, std::less<>> seen;
    const auto began = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
    while (true) {
        const auto answer =
            ask(globals, *config, {.path = fmt::format("{}/{}", kPath, asked.model), .headers = {}, .body = {}}, code);
        if (!answer) return code;
        json::Document document;
        if (auto ok = document.parse(answer->body); !ok) return report(globals, ok.error());
        const auto root = document.root();
        if (!globals.json) print_new(asked, root, began.count() - 1'000, seen);
        if (root["running"].boolean() == true) {
            std::this_thread::sleep_for(kPause);
            continue;
        }
        if (globals.json)
            fmt::print("{}\n", answer->body);
        else
            print_end(asked.model, root);
        return root["ended"].exists() ? kFailed : kOk;
    }
}

// Asks the server for one thing that is done at once, and says so.
int simply(const Globals& globals, RemoteRequest request, const std::string& words) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kOk;
    const auto answer = ask(globals, *config, std::move(request), code);
    if (!answer) return code;
    fmt::print("{}\n", globals.json ? answer->body : words);
    return kOk;
}

int run(const Globals& globals, const Asked& asked) {
    if (asked.cancel)
        return simply(globals,
                      {.method = "DELETE", .path = fmt::format("{}/{}", kPath, asked.model), .headers = {}, .body = {}},
                      fmt::format("the probe of {} ends after the question that is under way", asked.model));
    if (asked.forget)
        return simply(globals, {.method = "POST", .path = kPath, .headers = {}, .body = body_of(asked)},
                      fmt::format("nothing is measured of {} any more: its claims hold", asked.model));
    return asked.model.empty() ? show(globals) : probe(globals, asked);
}

std::string suites_text() {
    std::string out = "What to find out, several with commas; `all`, or of these (basics without it): ";
    for (const auto& row : probe::suites())
        out += fmt::format("{}{} ({})", &row == probe::suites().data() ? "" : ", ", row.name, row.about);
    return out;
}

}  // namespace

void add_probe(CLI::App& app, Globals& globals, Action& action) {
    auto asked = std::make_shared<Asked>();
    auto* command = app.add_subcommand(
        "probe",
        "Ask a model questions whose answers can be checked, and learn from that; without one, what was found");
    auto* model = command->add_option("model", asked->model, "The model; its provider is paid as for any request");
    command->add_option("--suite", asked->suites, suites_text())->delimiter(',')->needs(model);
    command
        ->add_option("--budget", asked->budget,
                     "What the probe may cost at most, in the config's currency; a cloud model is not probed without")
        ->needs(model);
    command->add_option("--seed", asked->seed, "Of the questions: another one gives others of the same kinds")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000'000}))
        ->needs(model)
        ->capture_default_str();
    command
        ->add_option("--longest", asked->longest,
                     "Tokens of the longest prompt of the suite context; else 32768, and never more than is claimed")
        ->check(CLI::Range(512, 1'000'000))
        ->needs(model);
    command->add_flag("--idle", asked->idle, "Ask only while nobody else asks a model")->needs(model);
    auto* cancel =
        command->add_flag("--cancel", asked->cancel, "End the model's probe after the question that is under way")
            ->needs(model);
    command->add_flag("--forget", asked->forget, "Take back what was measured of the model, so that its claims hold")
        ->needs(model)
        ->excludes(cancel);
    command->add_option("--each", asked->each, "Questions of each of the eight kinds of the suite basics")
        ->check(CLI::Range(1, probe::kMostEach))
        ->capture_default_str();
    command->callback([&, asked] { action = [&globals, asked] { return run(globals, *asked); }; });
}

}  // namespace tandem::cli
