// Money while a price is multiplied: a whole number of atto-units (a millionth of a pico-unit, 1e-18 of the unit), so
// that rates with all their digits are exact and a sum is rounded once. Never a float.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/money.h"

namespace tandem::prices {

class Amount {
  public:
    using Atto = __int128;
    constexpr Amount() = default;
    static constexpr Amount from_atto(Atto atto) { return Amount(atto); }
    static constexpr Amount from_pico(std::int64_t pico) { return Amount(Atto(pico) * 1'000'000); }
    // A decimal as JSON and people write it: "0.0375", "1.25e-07", "-3". Exact to 18 digits after the point; what is
    // behind them is rounded half to even. nullopt where it is no number, or a million million units and more.
    static std::optional<Amount> parse(std::string_view text);

    constexpr Atto atto() const { return atto_; }
    auto operator<=>(const Amount&) const = default;
    // Sums stop at the ends of the range.
    Amount operator+(Amount other) const;
    Amount& operator+=(Amount other) { return *this = *this + other; }
    // This much for each `per` units, `count` times; a part of an atto-unit is rounded half to even. `count` is between
    // 0 and kMostCount, `per` is above 0.
    Amount times(std::int64_t count, std::int64_t per) const;

    // Rounded half to even to whole pico-units: twelve digits after the point, always written.
    std::string text() const;
    // As short as it is exact: "1.25", "0.0375".
    std::string plain() const;
    // For the ledger: rounded half to even to micro-units.
    Money micros() const;

  private:
    constexpr explicit Amount(Atto atto) : atto_(atto) {}
    Atto atto_ = 0;
};

// `value / by`, rounded half to even; `by` is above 0.
__int128 divided_half_to_even(__int128 value, __int128 by);

// A count as JSON writes it, "12", "12.0", "1.2e1", in thousandths: exact to three digits after the point, rounded half
// to even behind them; at most 2e15 away from 0. nullopt where it is no number.
std::optional<std::int64_t> thousandths(std::string_view text);

}  // namespace tandem::prices
