// Decisions about prompts that are not run: by the running server, with its health, budgets, labels and what it has
// learned; without one, by the config alone. Private to cli/.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/cli.h"
#include "cli/remote.h"
#include "gateway/run.h"
#include "routing/routing.h"

namespace tandem::cli {

class DryRuns {
  public:
    // What is said of each prompt, as a client would.
    struct Asked {
        std::string alias = "auto";
        std::string label;       // empty: as by its content
        std::string stakes;      // of x-tandem-stakes; empty: not said
        bool by_config = false;  // whatever server answers where this config's would
    };
    struct Run {
        routing::Inputs inputs;
        routing::Decision decision;  // by the config on disk
        std::string said;            // the server's answer as JSON; empty where none answers
    };

    DryRuns(const config::Config& config, const config::Environment& environment, Asked asked);

    // Sends nothing to a model and records nothing. Errors: invalid (a label that there is not), upstream (the server
    // refuses), not_found (an alias that there is not).
    Result<Run> run(const std::string& prompt);
    // The same for a whole request: the body of a chat completion, whose `model` the alias replaces. Errors: also
    // invalid, for a body that is none.
    Result<Run> run_body(const std::string& body);
    // Whether no server answered so far.
    bool offline() const { return offline_; }
    const routing::Table& table() const { return table_; }

  private:
    Result<Run> decide(const std::string& body);
    Result<Run> by_server(const std::string& body);
    Result<Run> by_config(const std::string& body);

    const config::Config& config_;
    const config::Environment& environment_;
    const Asked asked_;
    const Remote remote_;
    const routing::Table table_;
    bool offline_;
    std::shared_ptr<const gateway::Snapshot> snapshot_;  // made when it is needed first: its detectors take a moment
};

}  // namespace tandem::cli
