// A question in the words that every server of its dialect takes. Many servers take less of a dialect than who made it:
// no images in results, no tools of the provider, no items of OpenAI's own, no list for one text, no calls without a
// result. Where one refuses a request that has any of these, in whatever words, the same is asked plainly once; what is
// taken then is asked plainly from there on. Private to translate/ and gateway/.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "chat/conversation.h"
#include "config/config.h"
#include "dialect/losses.h"

namespace tandem::translate {

// The provider is who made the dialect, or sells it as it is: it takes all of it, and its refusals mean what they say.
bool made_the_dialect(const config::Provider& provider, dialect::Kind kind);

struct Plain {
    dialect::Fitted fitted;         // not refused
    std::set<std::string> unusual;  // what was said otherwise, or left out; never empty
};
// `request`, whose client speaks the provider's dialect, as any server of it takes it. Who made the dialect is asked
// the same with its calls and results in order alone. None where there is nothing to say otherwise, or where a demand
// would be lost. `drop`: as for fit().
std::optional<Plain> said_plainly(const chat::Request& request, const config::Provider& provider,
                                  dialect::Speaker speaker);

// Whether a refusal, in lower case, is about thoughts of another provider in the history: a signature that is not its
// own, or an item that it did not keep.
bool refuses_thoughts(std::string_view refusal);
// Leaves all thoughts of the history out.
void forget_thoughts(chat::Request& request);

}  // namespace tandem::translate
