#include "translate/betas.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace tandem::translate {

namespace {

constexpr std::size_t kMostWords = 8;
constexpr std::size_t kLongestWord = 16;
constexpr std::size_t kMostDigits = 4;  // of all words together: no number hides in a name

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return c >= 'a' && c <= 'z';
}

// A year of this program's time, a month and a day: eight digits.
bool is_date(std::string_view digits) {
    if (digits.size() != 8 || !std::ranges::all_of(digits, is_digit)) return false;
    const auto number = [&](std::size_t at, std::size_t size) {
        int value = 0;
        for (const char c : digits.substr(at, size)) value = 10 * value + (c - '0');
        return value;
    };
    const int year = number(0, 4), month = number(4, 2), day = number(6, 2);
    return year >= 2023 && year <= 2039 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

// "tools", "3", "128k".
bool is_word(std::string_view word) {
    if (word.empty() || word.size() > kLongestWord) return false;
    if (std::ranges::all_of(word, is_letter)) return true;
    if (word.size() > 1 && is_letter(word.back())) word.remove_suffix(1);
    return std::ranges::all_of(word, is_digit);
}

}  // namespace

bool is_beta(std::string_view name) {
    if (name.size() > kLongestBeta) return false;
    auto words = split(name, '-');
    if (words.size() >= 4 && words.back().size() == 2 && words[words.size() - 2].size() == 2) {
        std::string date(words[words.size() - 3]);
        date.append(words[words.size() - 2]).append(words.back());
        if (!is_date(date)) return false;
        words.resize(words.size() - 3);
    } else {
        if (words.size() < 2 || !is_date(words.back())) return false;
        words.pop_back();
    }
    std::size_t digits = 0;
    for (const auto word : words) digits += static_cast<std::size_t>(std::ranges::count_if(word, is_digit));
    return words.size() <= kMostWords && digits <= kMostDigits && std::ranges::all_of(words, is_word);
}

Betas betas_of(const net::Fields& headers) {
    Betas betas;
    std::vector<std::string> known;
    headers.each([&](std::string_view name, std::string_view value) {
        if (lower(name) != "anthropic-beta") return;
        betas.said.append(value).append("\n");
        for (const auto part : split(value, ',')) {
            const std::string beta(trim(part));
            if (beta.empty() || std::ranges::find(known, beta) != known.end()) continue;
            if (is_beta(beta) && known.size() < kMostBetas)
                known.push_back(beta);
            else
                ++betas.left_out;
        }
    });
    betas.known = join(known, ",");
    auto words = betas.said;
    std::ranges::replace(words, '-', ' ');
    betas.said += words;
    return betas;
}

}  // namespace tandem::translate
