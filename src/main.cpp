#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "retrieval/extract/child.h"

// Read by jemalloc where it is linked: memory that was freed goes back to the system after a second, not after ten, and
// few arenas keep some of it.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true";
}

int main(int argc, char** argv) {
    using namespace tandem::cli;
    // The process that reads files for the index: before anything else of the program is there.
    if (argc == 3 && std::string_view(argv[1]) == tandem::retrieval::kChildArgument)
        return tandem::retrieval::read_files(std::atoi(argv[2]));
    guard_terminal();
    CLI::App app{"One endpoint in front of the models you run and the models you rent."};
    app.name("tandem");
    app.require_subcommand(1);
    app.fallthrough();  // --config and --json may stand behind the command
    Globals globals;
    app.add_option("-c,--config", globals.config_file,
                   "tandem.yaml to use (default: $TANDEM_CONFIG, ./tandem.yaml, ~/.config/tandem/tandem.yaml, "
                   "/etc/tandem/tandem.yaml)");
    app.add_flag("--json", globals.json, "Print JSON");
    app.set_version_flag("--version", "tandem " TANDEM_VERSION);
    Action action;
    for (const auto& command : kCommands) command.add(app, globals, action);
    arrange(app);
    if (argc == 1) {
        std::fputs(first_help().c_str(), stdout);
        return kUsage;
    }
    if (const auto wrong = unknown_command(app, argc, argv); !wrong.empty()) {
        std::fputs(wrong.c_str(), stderr);
        return kUsage;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {  // --help, --version
        return app.exit(wanted) == 0 ? kOk : kUsage;
    } catch (const CLI::ParseError& error) {
        std::fputs(usage_of(app, error).c_str(), stderr);
        return kUsage;
    }
    try {
        return action();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tandem: %s\n", error.what());
        return kFailed;
    }
}
