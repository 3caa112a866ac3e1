// Money and tokens as types. Money is an integer count of micro-units (a millionth of the owner's currency), never
// a float: sums are exact, in any order.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem {

struct Tokens {
    std::int64_t count = 0;
    auto operator<=>(const Tokens&) const = default;
    Tokens operator+(Tokens other) const { return {count + other.count}; }
};

class Money {
  public:
    constexpr Money() = default;
    static constexpr Money from_micros(std::int64_t micros) { return Money(micros); }
    // Reads a plain non-negative decimal such as "5", "0.125" or "1.2345678". At most six digits after the point count
    // and more are an error, since they could not be kept. Errors: invalid.
    static Result<Money> parse(std::string_view text);

    constexpr std::int64_t micros() const { return micros_; }
    auto operator<=>(const Money&) const = default;
    Money operator+(Money other) const { return Money(micros_ + other.micros_); }
    Money operator-(Money other) const { return Money(micros_ - other.micros_); }
    Money& operator+=(Money other) {
        micros_ += other.micros_;
        return *this;
    }
    Money& operator-=(Money other) {
        micros_ -= other.micros_;
        return *this;
    }

    // "0.001250": always six digits after the point.
    std::string text() const;

  private:
    constexpr explicit Money(std::int64_t micros) : micros_(micros) {}
    std::int64_t micros_ = 0;
};

// The price of one model, per million tokens.
struct Price {
    Money input;
    Money cached_input;
    Money output;
    bool operator==(const Price&) const = default;
};

// What one attempt used. `input` includes `cached_input` and `cache_write`; `output` includes `reasoning`.
struct Usage {
    Tokens input;
    Tokens cached_input;
    Tokens output;
    Tokens reasoning;
    bool estimated = false;   // counted by us from the text, because the provider gave no numbers
    Tokens cache_write = {};  // put into the provider's prompt cache, where it says so

    Usage operator+(const Usage& other) const {
        return {input + other.input,         cached_input + other.cached_input, output + other.output,
                reasoning + other.reasoning, estimated || other.estimated,      cache_write + other.cache_write};
    }
};

// The cost of `usage` at `price`. The written rule of rounding: token counts times prices are summed exactly, and the
// sum is rounded once, half up, to a whole micro-unit.
Money cost_of(const Usage& usage, const Price& price);

}  // namespace tandem
