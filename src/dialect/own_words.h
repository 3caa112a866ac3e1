// A request in its own dialect's words. Clients mix them: Cursor sends flat tools and parts of Responses to Chat
// Completions, Google's documentation has one object where its API has a list, SDKs send a list of no tools. Whatever
// is meant without doubt is said here as the dialect has it, before anything reads the body, so that detectors, other
// dialects and a provider of the same one see one and the same request.
#pragma once

#include <optional>
#include <string>

#include "dialect/dialect.h"

namespace tandem::dialect {

// The body as it is meant; nothing where it stays as it came, as nearly every one does.
std::optional<std::string> in_own_words(Kind kind, const Incoming& incoming);

}  // namespace tandem::dialect
