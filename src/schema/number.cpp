#include "schema/number.h"

#include <charconv>

namespace tandem::schema {

namespace {

constexpr long long kMostExponent = 1'000'000;
constexpr long long kMostPlaces = 4'000;
constexpr std::size_t kMostDivisor = 18;  // digits, so that ten times a remainder fits 64 bits

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Without zeros at both ends.
void tidy(Decimal& number) {
    const auto last = number.digits.find_last_not_of('0');
    const auto zeros = last == std::string::npos ? number.digits.size() : number.digits.size() - last - 1;
    number.digits.resize(number.digits.size() - zeros);
    number.exponent += static_cast<long long>(zeros);
    number.digits.erase(0, std::min(number.digits.find_first_not_of('0'), number.digits.size()));
    if (number.digits.empty()) number = {};
}

}  // namespace

std::string Decimal::text() const {
    if (zero()) return "0";
    return (negative ? "-" : "") + digits + "e" + std::to_string(exponent);
}

std::optional<Decimal> decimal(std::string_view text) {
    Decimal number;
    std::size_t at = 0;
    if (at < text.size() && text[at] == '-') {
        number.negative = true;
        ++at;
    }
    const auto first = at;
    while (at < text.size() && is_digit(text[at])) number.digits += text[at++];
    if (at == first) return std::nullopt;
    if (at < text.size() && text[at] == '.') {
        const auto point = ++at;
        while (at < text.size() && is_digit(text[at])) number.digits += text[at++];
        if (at == point) return std::nullopt;
        number.exponent -= static_cast<long long>(at - point);
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        if (++at < text.size() && text[at] == '+') ++at;
        long long exponent = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), exponent);
        if (error != std::errc{} || exponent > kMostExponent || exponent < -kMostExponent) return std::nullopt;
        number.exponent += exponent;
        at = static_cast<std::size_t>(end - text.data());
    }
    if (at != text.size()) return std::nullopt;
    tidy(number);
    return number;
}

std::strong_ordering compare(const Decimal& a, const Decimal& b) {
    if (a.zero() && b.zero()) return std::strong_ordering::equal;
    if (a.negative != b.negative || a.zero() || b.zero()) {
        const int of_a = a.zero() ? 0 : (a.negative ? -1 : 1), of_b = b.zero() ? 0 : (b.negative ? -1 : 1);
        return of_a <=> of_b;
    }
    const auto places = [](const Decimal& n) { return static_cast<long long>(n.digits.size()) + n.exponent; };
    auto order = places(a) <=> places(b);
    // As long as each other: digit by digit, of which the shorter one has zeros behind it.
    if (order == 0) order = a.digits.compare(b.digits) <=> 0;
    return a.negative ? 0 <=> order : order;
}

std::optional<bool> is_multiple(const Decimal& a, const Decimal& b) {
    if (b.zero()) return std::nullopt;
    if (a.zero()) return true;
    if (b.digits.size() > kMostDivisor) return std::nullopt;
    unsigned long long divisor = 0;
    std::from_chars(b.digits.data(), b.digits.data() + b.digits.size(), divisor);
    auto places = a.exponent - b.exponent;
    if (places > kMostPlaces || places < -kMostPlaces) return std::nullopt;
    // Where b has more zeros than a, a has to be a multiple of those too; its digits have none at the end.
    for (; places < 0; ++places) {
        if (divisor > ~0ULL / 100) return false;
        divisor *= 10;
    }
    unsigned long long rest = 0;
    for (const char c : a.digits)
        rest = static_cast<unsigned long long>(
            (static_cast<unsigned __int128>(rest) * 10 + static_cast<unsigned>(c - '0')) % divisor);
    for (; places > 0; --places)
        rest = static_cast<unsigned long long>(static_cast<unsigned __int128>(rest) * 10 % divisor);
    return rest == 0;
}

}  // namespace tandem::schema
