// What the environment says of the owner's other programs: where their models are, and whose keys there are. A value
// that cannot be understood is named, never passed over. Private to cli/.
#pragma once

#include <string>
#include <vector>

#include "cli/init/compose.h"

namespace tandem::cli {

// A variable whose value is of no use, and why, in words without the value: it may hold a secret.
struct EnvironmentFault {
    std::string variable;
    std::string what;
};

struct FromEnvironment {
    std::vector<Address> addresses;  // of servers at home
    std::vector<Cloud> clouds;       // whose key is there, and which are not at home
    std::vector<Cloud> home;         // whose key is there, with the address at home that it is for
    std::vector<EnvironmentFault> faults;
};

FromEnvironment read_environment(const config::Environment& environment);

}  // namespace tandem::cli
