#include "cli/engine_upgrade.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cli/model.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

struct Wish {
    std::string binary, version, model;
    bool force = false;
};

int ask_versions(const Globals& globals, RemoteRequest request,
                 const std::function<int(const json::Value& root)>& print) {
    auto config = globals.load();
    if (!config) return report(globals, config.error());
    int code = kFailed;
    request.timeout = std::chrono::hours(1);
    const auto answer = ask(globals, *config, std::move(request), code);
    if (!answer) return code;
    json::Document document;
    if (auto ok = document.parse(answer->body); !ok) return report(globals, ok.error());
    if (globals.json) fmt::print("{}\n", answer->body);
    return print(document.root());
}

void print_side(std::string_view what, const json::Value& side) {
    fmt::print("{:<8} {:<36} {:>3} of {:<3} right {:>8} tokens/s {:>9} {:>7} ms to load\n", what,
               printable(std::string(side["version"].text()), 36), side["right"].raw(), side["asked"].raw(),
               side["tokens_per_second"].raw(), size_text(side["peak_bytes"].integer().value_or(0)),
               side["load_ms"].raw());
}

int print_upgrade(const Globals& globals, const json::Value& root) {
    const bool switched = root["switched"].boolean() == true;
    const auto worse = root["worse"].text();
    if (!globals.json) {
        fmt::print("tried on {}, {}\n", root["model"].text(),
                   root["beside"].boolean() == true ? "both in memory at once"
                                                    : "one after the other: the memory has no room for both at once");
        print_side("in use", root["before"]);
        print_side("new", root["after"]);
        fmt::print("their answers agree by {}\n", root["agreement"].raw());
        if (!worse.empty()) fmt::print("the new one is worse: {}\n", worse);
        fmt::print("{}\n", switched ? "the new one is in use; `tandem engine rollback` goes back"
                                    : "nothing was changed; --force takes one that is slower or answers otherwise");
    }
    return switched ? kOk : kFailed;
}

int upgrade(const Globals& globals, const Wish& wish) {
    json::Writer body;
    body.begin_object();
    if (!wish.binary.empty()) body.member("binary", std::filesystem::absolute(wish.binary).string());
    if (!wish.version.empty()) body.member("to", wish.version);
    if (!wish.model.empty()) body.member("model", wish.model);
    body.member("force", wish.force).end_object();
    return ask_versions(
        globals, {.method = "POST", .path = "/tandem/v1/engine-versions/upgrade", .headers = {}, .body = body.take()},
        [&](const json::Value& root) { return print_upgrade(globals, root); });
}

int rollback(const Globals& globals) {
    return ask_versions(globals,
                        {.method = "POST", .path = "/tandem/v1/engine-versions/rollback", .headers = {}, .body = "{}"},
                        [&](const json::Value& root) {
                            if (!globals.json)
                                fmt::print("{} is in use again, in place of {}\n", root["after"]["version"].text(),
                                           root["before"]["version"].text());
                            return kOk;
                        });
}

int versions(const Globals& globals) {
    return ask_versions(globals, {.method = "GET", .path = "/tandem/v1/engine-versions", .headers = {}, .body = {}},
                        [&](const json::Value& root) {
                            if (globals.json) return kOk;
                            fmt::print("in use: {} ({})\n", root["file"].text(), root["version"].text());
                            for (const json::Value one : root["versions"].children())
                                fmt::print("{}  {:<36} {:<8} kept {} from {}\n", one["sha256"].text().substr(0, 12),
                                           printable(std::string(one["version"].text()), 36),
                                           one["in_use"].boolean() == true   ? "in use"
                                           : one["before"].boolean() == true ? "before"
                                                                             : "",
                                           time_text(one["time_ms"].integer().value_or(0)), one["from"].text());
                            return kOk;
                        });
}

}  // namespace

void add_engine_versions(CLI::App& group, Globals& globals, Action& action) {
    auto wish = std::make_shared<Wish>();
    auto* take = group.add_subcommand(
        "upgrade", "Try another llama-server beside the one in use, and take it where it is not worse");
    auto* binary = take->add_option("--binary", wish->binary, "Path of the program");
    take->add_option("--to", wish->version, "A version that is here (`tandem engine versions`, or one in the cache)")
        ->excludes(binary);
    take->add_option("--model", wish->model, "The model that both are tried on");
    take->add_flag("--force", wish->force, "Take it although it is slower or answers otherwise");
    take->callback([&, wish] { action = [&globals, wish] { return upgrade(globals, *wish); }; });
    auto* back = group.add_subcommand("rollback", "Go back to the llama-server before the last upgrade");
    back->callback([&] { action = [&globals] { return rollback(globals); }; });
    auto* list = group.add_subcommand("versions", "The versions of llama-server that are kept");
    list->callback([&] { action = [&globals] { return versions(globals); }; });
}

}  // namespace tandem::cli
