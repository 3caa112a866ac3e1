// What the name of a collection is like, for the keys that name one.
#pragma once

#include <string_view>

namespace tandem::config {

// A regular expression of ECMA-262, as the schema of tandem.yaml has it.
inline constexpr std::string_view kCollectionName = "^[A-Za-z0-9_][A-Za-z0-9._-]{0,59}$";

}  // namespace tandem::config
