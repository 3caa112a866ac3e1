// Small questions about text.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem {

// The candidate closest to `word` by edit distance, when it is near enough to be a likely slip (a third of the
// word's length, at least 2); empty otherwise.
std::string_view nearest(std::string_view word, std::span<const std::string> candidates);

// "; did you mean 'x'?" for the nearest of the candidates, or "; there are: a, b, c" when none is near.
std::string suggest(std::string_view word, std::span<const std::string> candidates);

std::string_view trim(std::string_view text);  // spaces, tabs, CR and LF at both ends
// Without the byte order mark of UTF-8 that Windows' editors put before a text. It means nothing there, and what is put
// before it would make it a letter.
std::string_view without_byte_order_mark(std::string_view text);
std::string lower(std::string_view text);                           // ASCII only
bool equals_ignoring_case(std::string_view a, std::string_view b);  // ASCII only
// What stands between the marks: one part more than there are marks. The text outlives them.
std::vector<std::string_view> split(std::string_view text, char mark);
std::string join(std::span<const std::string> parts, std::string_view between);
// Each reason once, with all names that it is said of ("a, b"), in the order of (name, reason).
struct Reason {
    std::vector<std::string> names;
    std::string why;
};
std::vector<Reason> grouped_by_reason(std::span<const std::pair<std::string, std::string>> reasons);
// "a, b: why. c: another why": each reason once, behind all that it is said of, in the order of (name, reason).
std::string by_reason(std::span<const std::pair<std::string, std::string>> reasons);
std::optional<long long> whole_number(std::string_view text);  // decimal digits only, no sign, at most 18 of them

// `text` without what could act on a terminal or a header: control characters become '?', and it is cut to `limit`
// bytes at a character's edge, with "..." to show it. For quoting outside input in messages and logs.
std::string printable(std::string_view text, std::size_t limit = 120);

}  // namespace tandem
