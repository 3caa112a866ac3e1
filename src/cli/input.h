// What a command reads: a file, or the standard input.
#pragma once

#include <fstream>
#include <istream>
#include <string>

#include "base/result.h"

namespace tandem::cli {

// `file`, opened at `name`, or std::cin for "-". The result views one of both. Errors: not_found; invalid, for a pipe
// or a folder.
Result<std::istream*> open_input(const std::string& name, std::ifstream& file);

}  // namespace tandem::cli
