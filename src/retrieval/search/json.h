// Answers of search as JSON.
#pragma once

#include <string>

#include "retrieval/search/search.h"

namespace tandem::retrieval {

// {"hits": [...], "notes": [...]}, and "explain" where it is asked for.
std::string to_json(const Found& found, bool explain);

}  // namespace tandem::retrieval
