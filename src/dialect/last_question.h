// Text that is put before what a client asked last, in its own JSON: the one place that knows where that stands in each
// dialect.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "dialect/dialect.h"

namespace tandem::dialect {

// The request with `text` before the text of the last turn of a user that has any: in one string with it, where that is
// a string, else as a part of its own. Nothing where no turn of a user has text. A body of
// Responses is taken as Chat Completions' too (Question::as_responses).
std::optional<std::string> with_text_before_question(Kind kind, const json::Value& request, std::string_view text);

}  // namespace tandem::dialect
