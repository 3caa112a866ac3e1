// tandem engine: the local engines of a running server.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cli/cli.h"
#include "cli/engine_tune.h"
#include "cli/engine_upgrade.h"
#include "cli/model.h"
#include "cli/remote.h"
#include "engine/engines.h"

namespace tandem::cli {

namespace {

Result<RemoteAnswer> ask(const config::Config& config, std::string method, std::string path) {
    auto answer = call(remote_of(config),
                       {.method = std::move(method), .path = "/tandem/v1/engines" + path, .headers = {}, .body = {}});
    if (answer && answer->status != 200) return fail(ErrorCode::upstream, error_message(*answer));
    return answer;
}

std::string seconds_text(std::int64_t ms) {
    return ms == 0 ? "-" : fmt::format("{:.1f} s", static_cast<double>(ms) / 1000.0);
}

// What the running engine is held to; nothing where none runs.
std::string sandbox_of(const json::Value& engine) {
    if (engine["pid"].raw() == "0") return "-";
    std::vector<std::string> held;
    for (const json::Value one : engine["sandbox"]["holds"].children()) held.emplace_back(one.text());
    return held.empty() ? "none" : join(held, ",");
}

// Servers that Tandem did not start, and what they say of their models.
void print_adopted(const json::Value& adopted) {
    if (adopted.size() == 0) return;
    fmt::print("\n{:<24} {:<11} {:<16} {:>9} {:>9}  {}\n", "not started by Tandem", "state", "provider", "memory",
               "on GPUs", "name");
    for (const json::Value one : adopted.children()) {
        const auto bytes = one["bytes"].integer().value_or(0);
        const bool loaded = one["state"].text() == "loaded";
        const auto size = bytes == 0 || !loaded ? "-" : size_text(bytes);
        fmt::print("{:<24} {:<11} {:<16} {:>9} {:>9}  {}\n",
                   one["model"].exists() ? one["model"].text() : "(not in tandem.yaml)", one["state"].text(),
                   one["provider"].text(), one["bytes_are"].text() == "of its file" && loaded ? "~" + size : size,
                   one["gpu_bytes"].exists() ? size_text(one["gpu_bytes"].integer().value_or(0)) : "-",
                   one["name"].text());
        if (const auto error = one["error"].text(); !error.empty()) fmt::print("  {}\n", printable(error, 200));
    }
}

int print(const Globals& globals, const RemoteAnswer& answer) {
    if (globals.json) {
        fmt::print("{}\n", answer.body);
        return kOk;
    }
    json::Document document;
    if (auto ok = document.parse(answer.body); !ok) return report(globals, ok.error());
    const auto root = document.root();
    const auto memory = root["memory"];
    fmt::print("{:<24} {:<11} {:>7} {:>6} {:>7} {:>8} {:>9} {:>9} {:>9} {:>9}  {}\n", "model", "state", "pid", "in use",
               "waiting", "longest", "planned", "peak", "restarts", "incidents", "sandbox");
    for (const json::Value e : root["engines"].children()) {
        const auto sizes = e["memory"];
        const bool measured = sizes["planned_by"].text() == "measurement";
        fmt::print("{:<24} {:<11} {:>7} {:>6} {:>7} {:>8} {:>9} {:>9} {:>9} {:>9}  {}\n", e["model"].text(),
                   e["state"].text(), e["pid"].raw(), e["in_use"].raw(), e["waiting"].raw(),
                   seconds_text(e["longest_wait_ms"].integer().value_or(0)),
                   (measured ? "" : "~") + size_text(sizes["planned_bytes"].integer().value_or(0)),
                   size_text(sizes["peak_bytes"].integer().value_or(0)), e["restarts"].raw(), e["incidents"].raw(),
                   sandbox_of(e));
        if (const auto error = e["last_error"].text(); !error.empty()) fmt::print("  last error: {}\n", error);
    }
    print_adopted(root["adopted"]);
    if (const auto version = root["program"]["version"].text(); !version.empty())
        fmt::print("\nllama-server {}: {}\n", printable(std::string(version), 80), root["program"]["file"].text());
    fmt::print("\nengines share {}{}; {} of them are taken. ~ is an estimate, the others were measured\n",
               size_text(memory["limit_bytes"].integer().value_or(0)),
               memory["set_by_owner"].boolean() == true ? " (engine.memory)" : " (nine tenths of the machine's memory)",
               size_text(memory["used_bytes"].integer().value_or(0)));
    for (const json::Value one : memory["devices"].children())
        fmt::print("on {} ({}) they share {}; {} of them are taken\n", one["name"].text(), one["about"].text(),
                   size_text(one["limit_bytes"].integer().value_or(0)),
                   size_text(one["used_bytes"].integer().value_or(0)));
    return kOk;
}

int print_incidents(const Globals& globals, const RemoteAnswer& answer, const std::string& model) {
    json::Document document;
    if (auto ok = document.parse(answer.body); !ok) return report(globals, ok.error());
    const auto root = document.root();
    if (globals.json) {
        fmt::print("{{\"incidents\":{}}}\n", root["incidents"].raw());
        return kOk;
    }
    bool any = false;
    for (const json::Value one : root["incidents"].children()) {
        if (!model.empty() && one["model"].text() != model) continue;
        any = true;
        fmt::print("{}  {}  {}: {}\n", time_text(one["time_ms"].integer().value_or(0)), one["model"].text(),
                   one["kind"].text(), one["what"].text());
        std::istringstream lines{std::string(one["lines"].text())};
        for (std::string line; std::getline(lines, line);) fmt::print("    {}\n", line);
    }
    if (!any) fmt::print("nothing has gone wrong with {}\n", model.empty() ? "the engines" : model);
    return kOk;
}

using Print = std::function<int(const RemoteAnswer&)>;

int run(const Globals& globals, const std::string& method, const std::string& path, const Print& print) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    auto answer = ask(*config, method, path);
    if (!answer) {
        report(globals, answer.error());
        return answer.error().code == ErrorCode::unavailable ? kUnreachable : kFailed;
    }
    return print(*answer);
}

int logs(const Globals& globals, const std::string& model, int lines) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto file = engine::log_file(config->data, model);
    std::ifstream in(file);
    if (!in || config->model(model) == nullptr) {
        std::vector<std::string> names;
        for (const auto& m : config->models)
            if (config->provider(m.provider)->kind->runs_here) names.push_back(m.id);
        if (config->model(model) == nullptr)
            return report(globals, {ErrorCode::not_found, fmt::format("there is no engine '{}'{}", printable(model, 60),
                                                                      suggest(model, names))});
        return report(globals, {ErrorCode::not_found,
                                fmt::format("the engine of {} has not run yet: there is no {}", model, file.string())});
    }
    std::vector<std::string> kept;
    for (std::string line; std::getline(in, line);) {
        kept.push_back(line);
        if (kept.size() > static_cast<std::size_t>(lines) * 2) kept.erase(kept.begin(), kept.end() - lines);
    }
    const std::size_t from =
        kept.size() > static_cast<std::size_t>(lines) ? kept.size() - static_cast<std::size_t>(lines) : 0;
    for (std::size_t i = from; i < kept.size(); ++i) fmt::print("{}\n", kept[i]);
    return kOk;
}

}  // namespace

void add_engine(CLI::App& app, Globals& globals, Action& action) {
    auto* group = app.add_subcommand("engine", "The local engines of the running server");
    group->require_subcommand(1);
    const Print show = [&globals](const RemoteAnswer& answer) { return print(globals, answer); };
    auto* list = group->add_subcommand("list", "What runs, and what it takes");
    list->callback([&, show] { action = [&globals, show] { return run(globals, "GET", "", show); }; });
    auto model = std::make_shared<std::string>();
    for (const char* act : {"start", "stop"}) {
        auto* command =
            group->add_subcommand(act, act == std::string("start") ? "Load a model now" : "Unload a model now");
        command->add_option("model", *model, "The model's id in tandem.yaml")->required();
        command->callback([&, model, act, show] {
            action = [&globals, model, act, show] { return run(globals, "POST", "/" + *model + "/" + act, show); };
        });
    }
    auto* incidents = group->add_subcommand("incidents", "What went wrong with engines, and what they wrote last");
    incidents->add_option("model", *model, "The model's id in tandem.yaml");
    incidents->callback([&, model] {
        action = [&globals, model] {
            return run(globals, "GET", "", [&globals, model](const RemoteAnswer& answer) {
                return print_incidents(globals, answer, *model);
            });
        };
    });
    add_engine_versions(*group, globals, action);
    add_engine_tune(*group, globals, action);
    auto lines = std::make_shared<int>(50);
    auto* log = group->add_subcommand("logs", "The last lines that an engine wrote");
    log->add_option("model", *model, "The model's id in tandem.yaml")->required();
    log->add_option("-n,--lines", *lines, "How many")->check(CLI::Range(1, 100'000));
    log->callback([&, model, lines] { action = [&globals, model, lines] { return logs(globals, *model, *lines); }; });
}

}  // namespace tandem::cli
