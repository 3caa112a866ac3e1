// The command line: one file per command. What scripts rely on: --config and --json on every command, and the exit
// codes below.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

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

// What a command does once the arguments are read. Set by the one that was called.
using Action = std::function<int()>;

void add_serve(CLI::App& app, Globals& globals, Action& action);
void add_ask(CLI::App& app, Globals& globals, Action& action);
void add_init(CLI::App& app, Globals& globals, Action& action);
void add_explain(CLI::App& app, Globals& globals, Action& action);
void add_policy(CLI::App& app, Globals& globals, Action& action);
void add_cost(CLI::App& app, Globals& globals, Action& action);
void add_break_even(CLI::App& group, Globals& globals, Action& action);  // `tandem cost break-even`
void add_reconcile(CLI::App& group, Globals& globals, Action& action);   // `tandem cost reconcile`
void add_hours(CLI::App& group, Globals& globals, Action& action);       // `tandem cost hours`
void add_local_cost(CLI::App& group, Globals& globals, Action& action);  // `tandem cost local`
void add_compare(CLI::App& group, Globals& globals, Action& action);     // `tandem cost compare`
void add_advise(CLI::App& app, Globals& globals, Action& action);
void add_prices(CLI::App& app, Globals& globals, Action& action);
void add_audit(CLI::App& app, Globals& globals, Action& action);
void add_route(CLI::App& app, Globals& globals, Action& action);
void add_feedback(CLI::App& app, Globals& globals, Action& action);
void add_learning(CLI::App& app, Globals& globals, Action& action);
void add_probe(CLI::App& app, Globals& globals, Action& action);
void add_experiment(CLI::App& app, Globals& globals, Action& action);
void add_logs(CLI::App& app, Globals& globals, Action& action);
void add_status(CLI::App& app, Globals& globals, Action& action);
void add_replay(CLI::App& app, Globals& globals, Action& action);
void add_keys(CLI::App& app, Globals& globals, Action& action);
void add_label(CLI::App& app, Globals& globals, Action& action);
void add_privacy(CLI::App& app, Globals& globals, Action& action);
void add_engine(CLI::App& app, Globals& globals, Action& action);
void add_doctor(CLI::App& app, Globals& globals, Action& action);
void add_version(CLI::App& app, Globals& globals, Action& action);
void add_connect(CLI::App& app, Globals& globals, Action& action);
void add_backup(CLI::App& app, Globals& globals, Action& action);
void add_restore(CLI::App& app, Globals& globals, Action& action);
void add_chat(CLI::App& app, Globals& globals, Action& action);
void add_models(CLI::App& app, Globals& globals, Action& action);
void add_health(CLI::App& app, Globals& globals, Action& action);
void add_manual(CLI::App& app, Globals& globals, Action& action);
void add_completion(CLI::App& app, Globals& globals, Action& action);

// Prints the error to stderr (as JSON to stdout with --json), and gives the exit code that fits it.
int report(const Globals& globals, const Error& error);

// The ledger of the configured data folder, for reading.
Result<std::unique_ptr<store::Database>> open_ledger(const config::Config& config);

// "24h", "7d", "2026-11-01" or "2026-11-01T12:00:00Z" as milliseconds since 1970. Errors: invalid.
Result<std::int64_t> since_from(const std::string& text);

}  // namespace tandem::cli
