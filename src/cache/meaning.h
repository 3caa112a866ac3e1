// What a question means, for answers that may be given again to one that means nearly the same. Private to gateway/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "chat/conversation.h"

namespace tandem::cache {

struct Meaning {
    std::string scope;          // all that must be the same; empty: nothing is near enough to this
    std::string facts;          // of the last turn: see facts_of()
    std::vector<float> vector;  // of the last turn, of length 1
    bool known() const { return !scope.empty() && !vector.empty(); }
};

// How near two vectors of length 1 are: their cosine, -1 to 1; -1 where their sizes differ.
double nearness(const std::vector<float>& one, const std::vector<float>& other);

// What an embedding takes for the same and a person does not: the numbers of a text, its negations, its names (words
// with a capital that do not begin a sentence) and what is quoted, in order.
std::string facts_of(std::string_view text);

// The request without its last turn, as text; empty where that is not a user's words alone.
std::string rest_of(const chat::Request& request);

}  // namespace tandem::cache
