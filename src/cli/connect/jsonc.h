// Changes to files of settings in JSON as people write it: with comments (// and /* */) and commas behind the last
// entry. What is not changed keeps its bytes. Private to cli/connect/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::cli {

struct Setting {
    std::vector<std::string> path;  // names of members, from the root
    std::string json;               // the value
};

// Sets each, making the objects on its way; a new member comes last in its object, in the indentation of the others.
// An empty text counts as {}. Errors: invalid, where the text is no such JSON or its root is no object: with the line.
Result<std::string> change_jsonc(std::string text, const std::vector<Setting>& settings);

}  // namespace tandem::cli
