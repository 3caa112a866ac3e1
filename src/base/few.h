// Long lists in sentences for people.
#pragma once

#include <span>
#include <string>

namespace tandem {

// "a, b", and of more than `most` names the first of them: "a, b, c and 14 more".
std::string few(std::span<const std::string> names, std::size_t most = 3);

}  // namespace tandem
