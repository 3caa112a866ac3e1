#include "config/names.h"

#include <algorithm>
#include <tuple>

namespace tandem::config {

bool is_name(std::string_view text) {
    constexpr std::size_t kLongest = 100;
    return !text.empty() && text.size() <= kLongest &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-") ==
               std::string_view::npos;
}

bool good_pattern(std::string_view name) {
    std::string plain(name);
    std::erase(plain, '*');
    return plain.empty() ? name == "*" : name.size() <= 100 && is_name(plain);
}

bool is_reserved(std::string_view name) {
    return std::ranges::find(kReservedAliases, name) != kReservedAliases.end();
}

bool is_pattern(std::string_view name) {
    return name.find('*') != std::string_view::npos;
}

// Goes back to the last `*` where the text after it does not fit: at most pattern times name steps.
bool matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, after_star = std::string_view::npos, begun = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            after_star = ++p;
            begun = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (after_star != std::string_view::npos) {
            p = after_star;
            n = ++begun;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

std::string_view rest_of(std::string_view pattern, std::string_view name) {
    const auto star = pattern.find('*');
    return name.substr(star, name.size() - (pattern.size() - 1));
}

std::optional<std::size_t> most_specific(const std::vector<std::string_view>& patterns, std::string_view name) {
    std::optional<std::size_t> best;
    auto rank = [](std::string_view pattern) {
        const auto stars = static_cast<std::size_t>(std::ranges::count(pattern, '*'));
        return std::tuple(pattern.size() - stars, pattern.find('*'));
    };
    for (std::size_t i = 0; i < patterns.size(); ++i)
        if (is_pattern(patterns[i]) && matches(patterns[i], name) &&
            (!best || rank(patterns[i]) > rank(patterns[*best])))
            best = i;
    return best;
}

}  // namespace tandem::config
