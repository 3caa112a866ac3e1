// tandem health: whether the server takes requests, for a container's or a supervisor's check.
#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/remote.h"

namespace tandem::cli {

namespace {

constexpr milliseconds kTime{3'000};

int health(const Globals& globals) {
    const auto config = globals.load();
    if (!config) return report(globals, config.error());
    const auto remote = remote_of(*config);
    const auto answer = call(remote, {.path = "/readyz", .headers = {}, .body = {}, .timeout = kTime});
    if (!answer) {
        report(globals, answer.error());
        return kUnreachable;
    }
    if (answer->status != 200 || answer->body.find("\"ready\"") == std::string::npos) {
        report(globals,
               {ErrorCode::upstream, fmt::format("what answers at {} is not a tandem that is ready (status {})",
                                                 remote.url, answer->status)});
        return kBroken;
    }
    fmt::print("{}\n", globals.json ? R"({"ready":true})" : "ready");
    return kOk;
}

}  // namespace

void add_health(CLI::App& app, Globals& globals, Action& action) {
    app.add_subcommand("health", "Say whether the server takes requests; exit 0 only where it does")->callback([&] {
        action = [&globals] { return health(globals); };
    });
}

}  // namespace tandem::cli
