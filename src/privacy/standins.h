// What is sent in place of a value. Private to privacy/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "privacy/keys.h"

namespace tandem::privacy {

// "<PERSON_1>".
std::string placeholder(std::string_view type, std::int64_t number);

// What cannot come back: "[PERSON]".
std::string mask(std::string_view type);

// Something of the same form that is nobody's: a card with a right check digit of a range that is not issued, an IBAN
// of the same country, a number, a name, an address at example.com. It follows from the keys and `seed` alone. Empty
// for types that have none; those get their placeholder.
std::string realistic(const Keys& keys, std::string_view type, std::string_view value, std::string_view seed);

// The form in which two ways to write one value are the same: "DE89 3704 0044" and "DE8937040044". Names and the like
// are the same only where they are written alike.
std::string normalized(std::string_view type, std::string_view value);

}  // namespace tandem::privacy
