#include "privacy/standins.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/splitmix.h"

namespace tandem::privacy {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Draws that follow from a key and a seed.
class Draws {
  public:
    Draws(const Keys& keys, std::string_view seed) : numbers_(keys.number_of(seed)) {}
    std::uint64_t below(std::uint64_t bound) { return numbers_.next() % bound; }

  private:
    SplitMix64 numbers_;
};

// ISO/IEC 7812: every second digit from the right doubled.
int luhn_digit(std::string_view digits) {
    int sum = 0;
    bool twice = true;
    for (auto i = digits.size(); i-- > 0;) {
        int d = digits[i] - '0';
        if (twice) d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
        twice = !twice;
    }
    return (10 - sum % 10) % 10;
}

// The value with its digits replaced in order; what separates them stays.
std::string with_digits(std::string_view value, std::string_view digits) {
    std::string out(value);
    std::size_t next = 0;
    for (auto& c : out)
        if (is_digit(c) && next < digits.size()) c = digits[next++];
    return out;
}

std::string digits_of(std::string_view value) {
    std::string digits;
    std::ranges::copy_if(value, std::back_inserter(digits), is_digit);
    return digits;
}

// 4000 00 is Visa's and used for tests; nothing is issued below it.
std::string card(std::string_view value, Draws& draws) {
    auto digits = digits_of(value);
    if (digits.size() < 12) return {};
    constexpr std::string_view kBin = "400000";
    for (std::size_t i = 0; i < digits.size(); ++i)
        digits[i] = i < kBin.size() ? kBin[i] : static_cast<char>('0' + draws.below(10));
    digits.back() = static_cast<char>('0' + luhn_digit(digits.substr(0, digits.size() - 1)));
    return with_digits(value, digits);
}

// ISO 13616: the check digits make the number, with the country at its end and letters as 10 to 35, 1 modulo 97.
std::string iban(std::string_view value, Draws& draws) {
    std::string plain;
    for (const char c : value)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            plain += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (plain.size() < 15) return {};
    for (std::size_t i = 4; i < plain.size(); ++i)
        if (is_digit(plain[i])) plain[i] = static_cast<char>('0' + draws.below(10));
    int rest = 0;
    for (const char c : plain.substr(4) + plain.substr(0, 2) + "00") {
        if (is_digit(c))
            rest = (rest * 10 + (c - '0')) % 97;
        else
            rest = (rest * 100 + (c - 'A' + 10)) % 97;
    }
    const auto check = fmt::format("{:02}", 98 - rest);
    plain[2] = check[0];
    plain[3] = check[1];
    std::string out(value);
    std::size_t next = 0;
    for (auto& c : out)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) c = plain[next++];
    return out;
}

// Keeps the first digits, which say the country, and draws the rest.
std::string number(std::string_view value, Draws& draws, std::size_t keep) {
    auto digits = digits_of(value);
    if (digits.size() < keep + 4) return {};
    for (std::size_t i = keep; i < digits.size(); ++i) digits[i] = static_cast<char>('0' + draws.below(10));
    return with_digits(value, digits);
}

constexpr std::array<std::string_view, 24> kFirst = {
    "Alex",  "Robin", "Sam",    "Kim", "Chris", "Dana", "Jamie",  "Lee", "Morgan", "Noa",   "Pat",   "Quinn",
    "Sasha", "Toni",  "Andrea", "Kai", "Luca",  "Mika", "Nicola", "Jo",  "Rene",   "Terry", "Jules", "Vic"};
constexpr std::array<std::string_view, 24> kLast = {
    "Abbott", "Berger", "Calder", "Dorn",  "Ekman", "Falk",  "Garner", "Holt",  "Iversen", "Jarvis", "Keller", "Lorenz",
    "Marsh",  "Norden", "Osman",  "Pryor", "Quist", "Reeve", "Sander", "Thorn", "Ulrich",  "Vance",  "Weller", "York"};

}  // namespace

std::string placeholder(std::string_view type, std::int64_t number) {
    return fmt::format("<{}_{}>", type, number);
}

std::string mask(std::string_view type) {
    return fmt::format("[{}]", type);
}

std::string realistic(const Keys& keys, std::string_view type, std::string_view value, std::string_view seed) {
    Draws draws(keys, fmt::format("stand-in\n{}\n{}", type, seed));
    if (type == "CREDIT_CARD") return card(value, draws);
    if (type == "IBAN_CODE") return iban(value, draws);
    if (type == "PHONE_NUMBER") return number(value, draws, value.starts_with('+') ? 3 : 2);
    auto first = kFirst[draws.below(kFirst.size())];
    auto last = kLast[draws.below(kLast.size())];
    if (type == "PERSON") return fmt::format("{} {}", first, last);
    if (type == "EMAIL_ADDRESS") {
        auto address = fmt::format("{}.{}{}@example.com", first, last, draws.below(90) + 10);
        std::ranges::transform(address, address.begin(), [](unsigned char c) { return std::tolower(c); });
        return address;
    }
    return {};
}

std::string normalized(std::string_view type, std::string_view value) {
    if (type == "CREDIT_CARD" || type == "IBAN_CODE" || type == "PHONE_NUMBER") {
        std::string out;
        for (const char c : value)
            if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+')
                out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        return out;
    }
    if (type == "EMAIL_ADDRESS") {
        std::string out(value);
        std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
        return out;
    }
    return std::string(value);
}

}  // namespace tandem::privacy
