#include "ledger/prices/amount.h"

#include <fmt/format.h>

#include <algorithm>

namespace tandem::prices {

namespace {

constexpr __int128 kUnit = __int128(1'000'000'000'000'000'000);
constexpr __int128 kMost = kUnit * 1'000'000'000'000;
constexpr int kMostExponent = 60;
constexpr std::int64_t kMostThousandths = 2'000'000'000'000'000;

struct Decimal {
    bool negative = false;
    std::string digits;  // without zeros in front
    int exponent = 0;    // of the last digit
};

// The grammar of JSON's numbers, and a "+" in front or zeros too many, which people write.
std::optional<Decimal> read_decimal(std::string_view text) {
    Decimal out;
    std::size_t i = 0;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) out.negative = text[i++] == '-';
    bool point = false, any = false;
    for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || out.digits.size() > 100) return std::nullopt;
        any = true;
        if (point) --out.exponent;
        if (!out.digits.empty() || text[i] != '0') out.digits += text[i];
    }
    if (!any) return std::nullopt;
    if (i == text.size()) return out;
    int sign = 1, exponent = 0;
    if (++i < text.size() && (text[i] == '-' || text[i] == '+')) sign = text[i++] == '-' ? -1 : 1;
    if (i == text.size()) return std::nullopt;
    for (; i < text.size(); ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        exponent = std::min(exponent * 10 + (text[i] - '0'), 10'000);
    }
    out.exponent += sign * exponent;
    return out;
}

// `decimal * 10^places` as a whole number, rounded half to even; nullopt at `most` and above.
std::optional<__int128> scaled(const Decimal& decimal, int places, __int128 most) {
    if (decimal.digits.empty()) return 0;
    const int shift = decimal.exponent + places;
    const int whole = static_cast<int>(decimal.digits.size()) + shift;  // digits before the point of the result
    if (whole > kMostExponent) return std::nullopt;
    __int128 value = 0;
    for (int i = 0; i < whole; ++i) {
        value = value * 10 +
                (i < static_cast<int>(decimal.digits.size()) ? decimal.digits[static_cast<std::size_t>(i)] - '0' : 0);
        if (value >= most) return std::nullopt;
    }
    if (shift < 0 && whole >= 0) {
        const std::string_view rest = std::string_view(decimal.digits).substr(static_cast<std::size_t>(whole));
        const bool more = rest.size() > 1 && rest.substr(1).find_first_not_of('0') != std::string_view::npos;
        const int first = rest.empty() ? 0 : rest[0] - '0';
        if (first > 5 || (first == 5 && (more || value % 2 == 1))) ++value;
    }
    return decimal.negative ? -value : value;
}

// `digits` digits after the point of a whole number of 10^-digits.
std::string fixed(__int128 value, int digits) {
    const bool negative = value < 0;
    std::string text = fmt::format("{}", negative ? -value : value);
    if (text.size() <= static_cast<std::size_t>(digits))
        text.insert(0, static_cast<std::size_t>(digits) + 1 - text.size(), '0');
    text.insert(text.size() - static_cast<std::size_t>(digits), ".");
    return negative ? "-" + text : text;
}

}  // namespace

__int128 divided_half_to_even(__int128 value, __int128 by) {
    __int128 quotient = value / by, rest = value % by;
    if (rest < 0) rest = -rest;
    const bool up = rest > by - rest || (rest == by - rest && quotient % 2 != 0);
    if (up) quotient += value < 0 ? -1 : 1;
    return quotient;
}

std::optional<Amount> Amount::parse(std::string_view text) {
    const auto decimal = read_decimal(text);
    if (!decimal) return std::nullopt;
    const auto atto = scaled(*decimal, 18, kMost);
    if (!atto) return std::nullopt;
    return Amount(*atto);
}

Amount Amount::operator+(Amount other) const {
    Atto sum = 0;
    if (!__builtin_add_overflow(atto_, other.atto_, &sum))
        return Amount(std::clamp(sum, -kMost * 1'000, kMost * 1'000));
    return Amount(other.atto_ < 0 ? -kMost * 1'000 : kMost * 1'000);
}

Amount Amount::times(std::int64_t count, std::int64_t per) const {
    // Whole parts first, so that the product of what is left fits whatever the rate is.
    const Atto each = atto_ / per, rest = atto_ % per;
    Atto whole = 0;
    if (__builtin_mul_overflow(each, Atto(count), &whole)) return Amount(atto_ < 0 ? -kMost * 1'000 : kMost * 1'000);
    return Amount(whole) + Amount(divided_half_to_even(rest * count, per));
}

std::string Amount::text() const {
    return fixed(divided_half_to_even(atto_, 1'000'000), 12);
}

std::string Amount::plain() const {
    auto text = fixed(atto_, 18);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

Money Amount::micros() const {
    constexpr __int128 kMostMicros = __int128(1'000'000'000) * 1'000'000;  // as far as Money's own bound
    const auto micros = divided_half_to_even(atto_, 1'000'000'000'000);
    return Money::from_micros(static_cast<std::int64_t>(std::clamp(micros, -kMostMicros, kMostMicros)));
}

std::optional<std::int64_t> thousandths(std::string_view text) {
    const auto decimal = read_decimal(text);
    if (!decimal) return std::nullopt;
    const auto value = scaled(*decimal, 3, __int128(1'000'000'000'000'000'000));
    if (!value) return decimal->negative ? -kMostThousandths : kMostThousandths;
    return static_cast<std::int64_t>(std::clamp<__int128>(*value, -kMostThousandths, kMostThousandths));
}

}  // namespace tandem::prices
