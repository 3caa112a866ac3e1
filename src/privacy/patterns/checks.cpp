#include "privacy/patterns/checks.h"

#include <cmath>

namespace tandem::privacy {

bool near(std::string_view text, std::size_t begin, std::size_t end, std::initializer_list<std::string_view> words,
          std::size_t before, std::size_t after) {
    std::uint32_t firsts = 0;  // of the words, by their last five bits
    for (const auto w : words) firsts |= 1U << (static_cast<unsigned char>(w[0]) & 31U);
    auto has = [&](std::size_t from, std::size_t to) {
        work(to - std::min(from, to));
        // Few places are beginnings of words, and few words begin like them.
        for (std::size_t at = from; at < to; ++at) {
            if (((firsts >> (static_cast<unsigned char>(text[at]) & 31U)) & 1U) == 0) continue;
            if (at > 0 && letter(text[at - 1])) continue;
            const char first = lower(text[at]);
            for (const auto w : words) {
                if (w[0] != first || w.size() > to - at) continue;
                std::size_t same = 1;
                while (same < w.size() && lower(text[at + same]) == w[same]) ++same;
                if (same == w.size()) return true;
            }
        }
        return false;
    };
    const std::size_t from = begin > before ? begin - before : 0;
    return has(from, begin) || has(std::min(end, text.size()), std::min(text.size(), end + after));
}

double entropy(std::string_view value) {
    // n log n for the counts that values have: the sum of them says it all.
    static const auto kLogs = [] {
        std::array<double, 512> logs{};
        for (std::size_t n = 1; n < logs.size(); ++n)
            logs[n] = static_cast<double>(n) * std::log2(static_cast<double>(n));
        return logs;
    }();
    auto n_log_n = [](std::size_t n) {
        return n < kLogs.size() ? kLogs[n] : static_cast<double>(n) * std::log2(static_cast<double>(n));
    };
    if (value.empty()) return 0;
    work(value.size());
    std::array<std::uint32_t, 256> counts{};
    double sum = 0;
    for (const char c : value) ++counts[static_cast<unsigned char>(c)];
    for (const char c : value) {
        auto& count = counts[static_cast<unsigned char>(c)];
        if (count > 1) sum += n_log_n(count);
        count = 0;
    }
    const auto size = static_cast<double>(value.size());
    return (n_log_n(value.size()) - sum) / size;
}

bool is_placeholder(std::string_view value) {
    static const Words kWords = {
        "example", "placeholder", "changeme", "change-me", "change_me", "your",     "xxxx",    "****",   "....",
        "${",      "{{",          "%(",       "redacted",  "dummy",     "insert",   "null",    "todo",   "fixme",
        "replace", "sample",      "foobar",   "testtest",  "default",   "password", "secret",  "abcdef", "123456",
        "test",    "fake",        "mock",     "none",      "undefined", "getenv",   "environ", "...",    "#{"};
    if (value.find('<') != std::string_view::npos || kWords.in(value)) return true;
    return std::ranges::all_of(value, [&](char c) { return lower(c) == lower(value.front()); });
}

bool luhn(std::string_view digits) {
    int sum = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        const int d = (digits[digits.size() - 1 - i] - '0') * (i % 2 == 1 ? 2 : 1);
        sum += d > 9 ? d - 9 : d;
    }
    return sum % 10 == 0;
}

bool verhoeff(std::string_view digits) {
    // Multiplication in the dihedral group D5, and the permutation of each of eight places, computed from the
    // definition.
    static constexpr auto kProducts = [] {
        std::array<std::array<std::uint8_t, 10>, 10> products{};
        for (unsigned a = 0; a < 10; ++a)
            for (unsigned b = 0; b < 10; ++b) {
                const unsigned turned = a < 5 ? a + b : 10 + a - b;
                products[a][b] = static_cast<std::uint8_t>((a < 5) == (b < 5) ? turned % 5 : 5 + turned % 5);
            }
        return products;
    }();
    static constexpr auto kPlaces = [] {
        constexpr std::array<std::uint8_t, 10> kOnce = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
        std::array<std::array<std::uint8_t, 10>, 8> places{};
        for (std::uint8_t d = 0; d < 10; ++d) places[0][d] = d;
        for (std::size_t i = 1; i < places.size(); ++i)
            for (std::size_t d = 0; d < 10; ++d) places[i][d] = kOnce[places[i - 1][d]];
        return places;
    }();
    unsigned check = 0, place = 0;
    for (std::size_t i = digits.size(); i-- > 0; place = (place + 1) & 7U)
        check = kProducts[check][kPlaces[place][static_cast<unsigned>(digits[i] - '0')]];
    return check == 0;
}

bool iso7064_mod11_10(std::string_view digits) {
    int product = 10;
    for (const char c : digits.substr(0, digits.size() - 1)) {
        int sum = (c - '0' + product) % 10;
        if (sum == 0) sum = 10;
        product = sum * 2 % 11;
    }
    return (11 - product) % 10 == digits.back() - '0';
}

int weighted(std::string_view digits, std::initializer_list<int> weights) {
    int sum = 0;
    std::size_t i = 0;
    for (const int weight : weights) sum += (digits[i++] - '0') * weight;
    return sum;
}

std::uint64_t modulo(std::string_view digits, std::uint64_t divisor) {
    std::uint64_t rest = 0;
    for (const char c : digits) rest = (rest * 10 + static_cast<std::uint64_t>(c - '0')) % divisor;
    return rest;
}

}  // namespace tandem::privacy
