// What `tandem cost compare` and `tandem advise` are asked with. Private to cli/.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "advice/situation.h"
#include "cli/cli.h"

namespace tandem::cli {

struct AdviceOptions {
    advice::Asked asked;
    std::string profile;  // file; empty: none
};

void add_advice_options(CLI::App& command, AdviceOptions& options);

struct AdviceInput {
    config::Config config;
    std::unique_ptr<store::Database> database;  // null: there is no ledger yet
    std::optional<advice::Profile> profile;
    advice::Situation situation;
};
// Reads config, profile and ledger. Where nothing is on record and nothing is described, asks on a terminal. Prints
// what is wrong, and puts the exit code into `code`.
std::optional<AdviceInput> read_advice_input(const Globals& globals, const AdviceOptions& options, int& code);

}  // namespace tandem::cli
