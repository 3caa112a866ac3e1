// Calls without any mark: an answer that is a JSON object, a fence of it, or calls as Python writes them, and nothing
// else. Such an answer may as well be what the user wanted, so that all of it has to be calls of tools that are
// offered, with arguments such as their schemas want.
#pragma once

#include "tools/family.h"

namespace tandem::tools {

// Whether an answer that begins with `text` may still become such calls. At most the first 600 bytes are looked at.
bool may_be_bare(std::string_view text, const Offer& offer);

// The calls that a whole answer is.
std::optional<Calls> bare_calls(std::string_view text, const Offer& offer);

}  // namespace tandem::tools
