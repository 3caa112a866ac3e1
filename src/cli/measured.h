// What probes found of models, as commands show it. Private to cli/.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "cli/remote.h"

namespace tandem::cli {

// "3 minutes ago", of a time in Unix milliseconds.
std::string age_text(std::int64_t time);

// What an element of `findings` of GET /tandem/v1/probes says: "0.83 (0.61 to 0.95), 12 questions", "4096 tokens (4096
// to 8191)", "ignores".
std::string finding_text(const json::Value& finding);

// What of `measured` decides over the claims, in a line: "context 4096 (4096 to 8191) of 32768 claimed, 2 hours ago".
// Empty: nothing is measured.
std::string measured_text(const json::Value& model);

// That of all models of the running server, by their names; empty where none answers.
std::map<std::string, std::string> measured_of_all(const Remote& remote);

}  // namespace tandem::cli
