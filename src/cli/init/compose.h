// The config that `tandem init` writes, from what was found and what its owner said. Private to cli/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/label.h"
#include "base/money.h"
#include "cli/init/clouds.h"
#include "cli/init/discover.h"

namespace tandem::cli {

// What the cloud may see of what is labelled.
enum class CloudSees {
    internal_,  // public and internal content, as it is: the default
    public_,    // only what has no label
    redacted,   // internal as it is; private with placeholders in place of what was found
};

struct Cloud {
    KnownCloud known;
    std::string base_url;
    std::string variable = {};  // that holds its key
};

struct Plan {
    Found found;
    std::vector<Zone> zones;  // of found.servers, in their order
    std::vector<Cloud> clouds;
    std::vector<Cloud> silent;  // servers at home whose key is in the environment, and which gave no answer
    bool engine_here = false;   // a llama-server and the tiny model are installed
    CloudSees cloud_sees = CloudSees::internal_;
    std::optional<Money> daily_budget;
};

struct Composed {
    std::string text;
    std::vector<std::string> notes;  // what the owner should know of the choices made
};

Composed compose(const Plan& plan);

// The file beside the config in which the key of a budget is; see compose().
inline constexpr std::string_view kKeyFile = "me.key";

}  // namespace tandem::cli
