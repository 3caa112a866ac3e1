// A JSON schema in the few words that every server reads: type, description, properties, required, items, enum of
// texts, and anyOf. Servers that refuse the others (Gemini's older ones, Moonshot's, llama.cpp's grammars, all of them
// at the top) name one of them at a time. Private to dialect/.
#pragma once

#include <string>
#include <string_view>

namespace tandem::dialect {

// What the schema says in those words: references stand for what they refer to, a constant is an enum of one, what is
// one of several types, or may be null, is anyOf; at the top, whose alternatives no server takes, the properties of all
// of them are listed. What cannot be said so (patterns, bounds, numbers to choose from) is said in descriptions, or
// left out. With `closed`, `additionalProperties: false` stays, which strict tools need. A schema that is no object
// becomes one without properties. The same schema becomes the same.
std::string plain_schema(std::string_view schema, bool closed);

}  // namespace tandem::dialect
