// Parts of an engine's log. Empty where it cannot be read. Private to engine/.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace tandem::engine {

// At most `most` bytes from byte `begin` on.
std::string part_of(const std::filesystem::path& log, std::uintmax_t begin, std::uintmax_t most);
// The last bytes, `most` of them at most.
std::string end_of(const std::filesystem::path& log, std::uintmax_t most);

}  // namespace tandem::engine
