// `tandem engine upgrade`, `rollback` and `versions`. Private to cli/.
#pragma once

#include "cli/cli.h"

namespace tandem::cli {

void add_engine_versions(CLI::App& group, Globals& globals, Action& action);

}  // namespace tandem::cli
