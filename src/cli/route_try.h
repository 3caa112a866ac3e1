// `tandem route try`: where each of some prompts would go now. Private to cli/.
#pragma once

#include "cli/cli.h"

namespace tandem::cli {

void add_route_try(CLI::App& group, Globals& globals, Action& action);

// The table for the prompts that Tandem brings along, as `tandem init` ends with it. Gives the exit code.
int try_examples(const Globals& globals, const config::Config& config);

}  // namespace tandem::cli
