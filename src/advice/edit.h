// Changes of tandem.yaml that keep everything else of it as it is written: comments, order, white space. A change that
// cannot be made in the text without touching something else is refused, with what to write by hand.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "advice/evaluate.h"
#include "base/result.h"

namespace tandem::advice {

// Those of `changes` that are not by hand, made in `text`. Errors: invalid, where the place is not found or not a plain
// mapping; the message says what to write.
Result<std::string> edited(std::string_view text, const std::vector<Change>& changes);

// One member of a mapping of YAML: `path` of keys such as {"policy", "preset"}; missing mappings are made. `value` is
// YAML as it is to stand there. Errors: invalid.
Result<std::string> with_value(std::string_view text, const std::vector<std::string>& path, std::string_view value);

}  // namespace tandem::advice
