// A value of the environment or of a file without what surrounds it by accident.
#pragma once

#include <string>
#include <string_view>

#include "base/text.h"

namespace tandem::config {

// Without blanks, line ends and a pair of quotes around it: `docker --env-file` and systemd's credentials hand them on
// as they stand in a file, where a shell would take them off. No key and no address has any.
inline std::string plain_value(std::string_view text) {
    auto plain = trim(text);
    for (const char quote : {'"', '\'', '`'})
        if (plain.size() >= 2 && plain.front() == quote && plain.back() == quote)
            plain = trim(plain.substr(1, plain.size() - 2));
    return std::string(plain);
}

}  // namespace tandem::config
