// Money and tokens as types. Money is an integer count of micro-units (a millionth of the owner's currency), never
// a float: sums are exact, in any order.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tandem {

// A sum that stops at the ends of its range: a number that somebody else made must not wrap it.
constexpr std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
    std::int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return b < 0 ? INT64_MIN : INT64_MAX;
}

// The most that a provider's count of tokens is believed.
inline constexpr std::int64_t kMostTokens = 1'000'000'000;

struct Tokens {
    std::int64_t count = 0;
    auto operator<=>(const Tokens&) const = default;
    Tokens operator+(Tokens other) const { return {saturating_sum(count, other.count)}; }
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
    // Sums stop at the ends of the range.
    Money operator+(Money other) const { return Money(saturating_sum(micros_, other.micros_)); }
    Money operator-(Money other) const {
        return Money(saturating_sum(micros_, other.micros_ == INT64_MIN ? INT64_MAX : -other.micros_));
    }
    Money& operator+=(Money other) { return *this = *this + other; }
    Money& operator-=(Money other) { return *this = *this - other; }

    // "0.001250": always six digits after the point.
    std::string text() const;

  private:
    constexpr explicit Money(std::int64_t micros) : micros_(micros) {}
    std::int64_t micros_ = 0;
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

// Of each count the higher one: numbers of one attempt that its provider said at different times.
Usage most_of(const Usage& one, const Usage& other);

}  // namespace tandem
