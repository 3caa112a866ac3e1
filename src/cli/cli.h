// The command line: one file per command. What scripts rely on: --config and --json on every command, and the exit
// codes below.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "config/config.h"
#include "store/store.h"

namespace tandem::cli {

// Exit codes, part of the contract (docs/reference/cli.md).
enum Exit : int {
    kOk = 0,
    kFailed = 1,       // the command ran and what it asked for did not work
    kUsage = 2,        // wrong arguments
    kConfig = 3,       // tandem.yaml is missing or wrong
    kUnreachable = 4,  // no server answers
    kNotFound = 5,     // no such decision, model, record
    kBroken = 6,       // a check failed: audit verify, doctor
};

struct Globals {
    std::string config_file;  // --config, or empty
    bool json = false;
    config::Environment environment = config::process_environment();

    std::filesystem::path config_path() const;
    // The config that a command goes by. It needs no secret: what is not to be had in this process is left out, and
    // said where it is more than a secret. While the file is broken, it is the config in force at the running server,
    // and stderr says so. Errors: not_found, invalid.
    Result<config::Config> load() const;
    // The config as a server needs it, every secret in it. Errors: not_found, invalid.
    Result<config::Config> load_whole() const;
};

// A command sets an Action: what it does once the arguments are read. commands.h lists the commands; these stand below
// one of them.
void add_break_even(CLI::App& group, Globals& globals, Action& action);    // `tandem cost break-even`
void add_reconcile(CLI::App& group, Globals& globals, Action& action);     // `tandem cost reconcile`
void add_hours(CLI::App& group, Globals& globals, Action& action);         // `tandem cost hours`
void add_local_cost(CLI::App& group, Globals& globals, Action& action);    // `tandem cost local`
void add_cost_compare(CLI::App& group, Globals& globals, Action& action);  // `tandem cost compare`

// The option --stakes, and --value, as it was called before.
void add_stakes(CLI::App& command, std::string& target, const std::string& what);
// Prints the error to stderr (as JSON to stdout with --json), and gives the exit code that fits it.
int report(const Globals& globals, const Error& error);

// The ledger of the configured data folder, for reading.
Result<std::unique_ptr<store::Database>> open_ledger(const config::Config& config);

// "24h", "7d", "2026-11-01" or "2026-11-01T12:00:00Z" as milliseconds since 1970. Errors: invalid.
Result<std::int64_t> since_from(const std::string& text);

}  // namespace tandem::cli
