// Conversions of units: "72 Fahrenheit in Celsius". A model that keeps up small talk is asked for them too.
#pragma once

#include <string_view>

namespace tandem::routing {

// Whether a text asks for nothing but to convert a quantity from one unit into another: two units, a number or "how
// many", and words that join them, in the European languages of the lexicon. At most 20 words.
bool converts_units(std::string_view text);

}  // namespace tandem::routing
