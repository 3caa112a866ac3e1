#include <algorithm>

#include "cost/profile.h"

namespace tandem::cost {

namespace {

Whole ten_to(int power) {
    return boost::multiprecision::pow(Whole(10), static_cast<unsigned>(power));
}

// Takes k, M, B or G off the end of `text` and gives how many zeros it stands for.
int take_suffix(std::string_view& text) {
    if (text.empty()) return 0;
    const char last = text.back();
    const int zeros = last == 'k' || last == 'K' ? 3 : last == 'M' ? 6 : last == 'B' || last == 'G' ? 9 : 0;
    if (zeros > 0) text.remove_suffix(1);
    return zeros;
}

// Takes "e9", "E-7" off the end. False where what stands there is no exponent from -30 to 30.
bool take_exponent(std::string_view& text, int& exponent) {
    const auto at = text.find_first_of("eE");
    if (at == std::string_view::npos) return true;
    auto rest = text.substr(at + 1);
    text = text.substr(0, at);
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest.empty() || rest.size() > 2 || rest.find_first_not_of("0123456789") != std::string_view::npos) return false;
    int value = 0;
    for (const char digit : rest) value = value * 10 + (digit - '0');
    exponent += negative ? -value : value;
    return value <= 30;
}

}  // namespace

std::optional<Exact> read_number(std::string_view text, bool suffix) {
    constexpr std::size_t kMostDigits = 60;
    int exponent = suffix ? take_suffix(text) : 0;
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (!take_exponent(text, exponent) || text.size() > 2 * kMostDigits) return std::nullopt;
    Whole digits = 0;
    std::size_t count = 0;
    bool point = false, before = false;  // `before`: a digit, which a _ must stand behind
    for (const char c : text) {
        if (c == '_' && before && !point) {
            before = false;
            continue;
        }
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++count > kMostDigits) return std::nullopt;
        digits = digits * 10 + (c - '0');
        exponent -= point ? 1 : 0;
        before = true;
    }
    if (count == 0 || !before) return std::nullopt;
    Exact value = exponent >= 0 ? Exact(digits * ten_to(exponent)) : Exact(digits, ten_to(-exponent));
    return negative ? Exact(-value) : value;
}

Exact ceiling(const Exact& value) {
    const Whole over = boost::multiprecision::denominator(value);
    return Exact((boost::multiprecision::numerator(value) + over - 1) / over);
}

std::string decimal(const Exact& value, int digits) {
    const bool negative = value < 0;
    const Whole numerator = boost::multiprecision::abs(boost::multiprecision::numerator(value)) * ten_to(digits);
    const Whole denominator = boost::multiprecision::denominator(value);
    Whole whole = numerator / denominator;
    const Whole twice = (numerator % denominator) * 2;
    if (twice > denominator || (twice == denominator && whole % 2 != 0)) ++whole;
    auto text = whole.str();
    const auto places = static_cast<std::size_t>(digits);
    if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
    if (places > 0) {
        text.insert(text.size() - places, ".");
        text.erase(text.find_last_not_of('0') + 1);
        if (text.ends_with('.')) text.pop_back();
    }
    return negative && text != "0" ? "-" + text : text;
}

}  // namespace tandem::cost
