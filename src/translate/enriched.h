// A question with text before it that its client did not write: what a search in the owner's files found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "translate/conversion.h"

namespace tandem::translate {

struct Enriched {
    Question question;                  // in the client's dialect, decoded
    std::vector<std::string> left_out;  // tools that the provider would have run
};

// `text` stands before what the user asked last. `keeps_outward`: tools that reach out of the request stay in it.
// Errors: unsupported_demand, where there is no turn of a user with text, or where such a tool is demanded.
Result<Enriched> enriched(const Question& question, std::string_view text, bool keeps_outward);

}  // namespace tandem::translate
