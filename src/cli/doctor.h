// The checks of `tandem doctor`, by what they look at. Private to cli/.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/config.h"

namespace tandem::cli {

enum class Grade { good, warning, bad };

struct Check {
    std::string name;
    Grade grade;
    std::string text;
    std::string mend;
};

// Each provider's server: whether it answers, why not, whether its base URL, key and zone fit, and what it says of the
// models that the config names. Asks all of them at once; takes seconds. Not those of `unheard`, whose secrets this
// process has not.
void check_providers(const config::Config& config, const std::set<std::string>& unheard, std::vector<Check>& checks);

// The binary of the engines, and their models' files.
void check_engines(const config::Config& config, const config::Environment& environment, std::vector<Check>& checks);

// The certificate with which the server is to answer.
void check_tls(const config::Config& config, std::vector<Check>& checks);

}  // namespace tandem::cli
