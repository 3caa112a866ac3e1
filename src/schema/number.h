// Numbers of JSON compared as they are written: exact, so that 0.1 is a tenth and 20 digits are 20 digits.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::schema {

// A decimal: (-1)^negative * digits * 10^exponent, without zeros at either end of `digits`; zero has none.
struct Decimal {
    bool negative = false;
    std::string digits;
    long long exponent = 0;

    bool zero() const { return digits.empty(); }
    bool whole() const { return exponent >= 0; }
    // The same text for the same number.
    std::string text() const;
};

// Nullopt for what is no number of JSON (RFC 8259 section 6), and for exponents beyond a million.
std::optional<Decimal> decimal(std::string_view text);

std::strong_ordering compare(const Decimal& a, const Decimal& b);

// Whether a / b is whole. Nullopt where the numbers are too long to say (b of more than 18 digits, more than 4,000
// places between them).
std::optional<bool> is_multiple(const Decimal& a, const Decimal& b);

}  // namespace tandem::schema
