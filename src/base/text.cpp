#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tandem {

namespace {

// Two neighbours that are swapped are one edit (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before.swap(above);
        above.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = a[i - 1] == b[j - 1];
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row.back();
}

char lower_char(char c) {
    return static_cast<char>(c | ((static_cast<unsigned char>(c - 'A') < 26) << 5));
}  // no branch: it vectorises

constexpr std::size_t kLongestGuess = 64;  // names longer than this are not compared

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string> candidates) {
    if (word.size() > kLongestGuess) return {};
    std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
    std::string_view found;
    for (const auto& candidate : candidates) {
        if (candidate.size() > kLongestGuess) continue;
        const std::size_t distance = edit_distance(lower(word), lower(candidate));
        if (distance < best) {
            best = distance;
            found = candidate;
        }
    }
    return found;
}

std::string suggest(std::string_view word, std::span<const std::string> candidates) {
    if (const auto near = nearest(word, candidates); !near.empty()) return fmt::format("; did you mean '{}'?", near);
    if (candidates.empty()) return "";
    return fmt::format("; there are: {}", join(candidates, ", "));
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view without_byte_order_mark(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    return text;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), lower_char);
    return result;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::ranges::equal(a, b, {}, lower_char, lower_char);
}

std::vector<std::string_view> split(std::string_view text, char mark) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto at = text.find(mark);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::string join(std::span<const std::string> parts, std::string_view between) {
    std::string result;
    for (const auto& part : parts) {
        if (!result.empty()) result += between;
        result += part;
    }
    return result;
}

std::vector<Reason> grouped_by_reason(std::span<const std::pair<std::string, std::string>> reasons) {
    std::vector<Reason> groups;
    for (const auto& [name, why] : reasons) {
        auto group = std::ranges::find(groups, why, &Reason::why);
        if (group == groups.end()) group = groups.insert(groups.end(), {{}, why});
        if (std::ranges::find(group->names, name) == group->names.end()) group->names.push_back(name);
    }
    return groups;
}

std::string by_reason(std::span<const std::pair<std::string, std::string>> reasons) {
    std::vector<std::string> said;
    for (const auto& [names, why] : grouped_by_reason(reasons)) said.push_back(join(names, ", ") + ": " + why);
    return join(said, ". ");
}

std::optional<long long> whole_number(std::string_view text) {
    if (text.empty() || text.size() > 18) return std::nullopt;
    long long value = 0;
    for (char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

std::string printable(std::string_view text, std::size_t limit) {
    const bool cut = text.size() > limit;
    if (cut) {
        while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
        text = text.substr(0, limit);
    }
    std::string result(text);
    for (char& c : result) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) c = '?';
    }
    if (cut) result += "...";
    return result;
}

}  // namespace tandem
