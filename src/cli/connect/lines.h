// Changes to files of settings that are lines: .env, the top of a YAML file. What is not changed keeps
// its bytes; what cannot be understood is refused. Private to cli/connect/.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tandem::cli {

using Lines = std::vector<std::pair<std::string, std::string>>;

// NAME=value lines, in quotes where dotenv would read another value; an earlier line of a name goes, with `export` too,
// and with all the lines of a quoted value. A line like it inside of another's value stays.
std::string change_env(const std::string& before, const Lines& lines);

// "name: value" at the top level of a YAML mapping. Errors: invalid, where the text is no such mapping, or a name has a
// value of several lines.
Result<std::string> change_yaml(const std::string& before, const Lines& lines);

// Without the ends of the lines but for a CR; the last one need not end.
std::vector<std::string> lines_of(std::string_view text);

// `what` is why the file is not changed.
std::unexpected<Error> refuse_lines(std::string_view what);

}  // namespace tandem::cli
