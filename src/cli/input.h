// What a command reads: a file, or the standard input.
#pragma once

#include <fstream>
#include <istream>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem::cli {

// `file`, opened at `name`, or std::cin for "-". The result views one of both. Errors: not_found; invalid, for a pipe
// or a folder.
Result<std::istream*> open_input(const std::string& name, std::ifstream& file);

// All of a profile, at most 16 MiB; `page` has one to start from. Errors: not_found, too_large.
Result<std::string> read_profile_file(const std::string& name, std::string_view page);

}  // namespace tandem::cli
