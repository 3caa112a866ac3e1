// Files that hold what others may not read.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem {

// Writes a file whole or not at all: beside it first, then renamed over what was there. Mode 0600, set before a byte is
// written. Its folder exists. Errors: storage, with the system's reason.
Result<> write_private_file(const std::filesystem::path& file, std::string_view bytes);

// All bytes of a file; empty where it cannot be read. For files whose size somebody has bounded.
std::string whole_file(const std::filesystem::path& file);

}  // namespace tandem
