// Vectorscan's database of all patterns. Compiling it takes a second, so the build does it, for any CPU that Vectorscan
// runs on, and the bytes are part of the program. Private to privacy/.
#pragma once

#include <hs/hs.h>

#include <cstddef>
#include <string>

namespace tandem::privacy {

struct Pattern;

// The pattern's expression as it is looked for.
std::string expression_of(const Pattern& pattern);

// Compiles patterns() for the generic CPU, but for those that ClassScan finds. On failure null, and `why` says so.
hs_database_t* compile_patterns(std::string& why);

// The serialised database that the build made, and each pattern's least width in bytes (patterns_db.cpp, generated).
extern const unsigned char kPatternsDatabase[];
extern const std::size_t kPatternsDatabaseSize;
extern const unsigned kPatternWidths[];

}  // namespace tandem::privacy
