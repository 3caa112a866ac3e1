// What `tandem init` asks at a terminal. Every question has an answer that is taken for an empty line, for the end of
// the input, and after three lines that are no answer. Private to cli/.
#pragma once

#include <cstdio>

#include "cli/init/compose.h"

namespace tandem::cli {

// Asks on `out` and reads from `in`; fills in zones, what the cloud sees, and the budget.
void ask_owner(Plan& plan, std::FILE* in, std::FILE* out);

// The zone of a server without anybody to ask: home for this machine and for a network's own addresses, unless the
// server hands its questions on.
Zone likely_zone(const FoundServer& server);

}  // namespace tandem::cli
