// Changes to files of settings that are lines: .env, the top of a YAML file, Codex's TOML. What is not changed keeps
// its bytes; what cannot be understood is refused. Private to cli/connect/.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tandem::cli {

using Lines = std::vector<std::pair<std::string, std::string>>;

// NAME=value lines, in quotes where dotenv would read another value; an earlier line of a name goes, with `export` too.
std::string change_env(const std::string& before, const Lines& lines);

// "name: value" at the top level of a YAML mapping. Errors: invalid, where the text is no such mapping, or a name has a
// value of several lines.
Result<std::string> change_yaml(const std::string& before, const Lines& lines);

// Keys at the top of a TOML file, and a table with all its keys, which takes the place of one that is there. Errors:
// invalid, where the text is no TOML that can be told apart by lines, or has the table in another form.
Result<std::string> change_toml(const std::string& before, const Lines& top, const std::string& table,
                                const Lines& keys);

}  // namespace tandem::cli
