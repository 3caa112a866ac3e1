// Runs the owner's program for an alert. Private to alerts/.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"

namespace tandem::alerts {

// `command`: an absolute path and its arguments, run without a shell, with `input` on its stdin and nothing of ours but
// PATH, HOME and TANDEM_ALERT_TEXT in its environment. Waits until it has ended; after `longest` its process group is
// killed. Errors: unavailable, with how it ended.
Result<> run_command(const std::vector<std::string>& command, const std::string& input, const std::string& text,
                     milliseconds longest);

}  // namespace tandem::alerts
