// What a model is told of what was found in the owner's files: data, marked as such, that nothing in it can end.
// Private to gateway/.
#pragma once

#include <string>
#include <vector>

#include "base/world.h"
#include "chat/cite_filter.h"
#include "retrieval/passages.h"

namespace tandem::gateway {

struct ContextText {
    std::string text;  // stands before the question, and ends with the words that lead to it
    chat::Sources sources;
};

// `passages` may be none: then the model is told so. Tag and marks are random, and stand in none of the passages.
ContextText context_text(const std::vector<retrieval::Passage>& passages, const std::string& searched, Random& random);

// The text of a file as a model gets it: what a chat template, a tokenizer or a model would take for the end of a turn,
// for a call or for a mark of ours is broken up, and characters that nobody sees are left out.
std::string defused(std::string_view text);

}  // namespace tandem::gateway
