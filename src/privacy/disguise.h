// Text as its reader sees it: without escapes, look-alikes and invisible characters, and what base64 or hex stands for.
// Private to privacy/.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::privacy {

struct Folded {
    std::string text;
    // Where each byte of `text` came from, and one more for its end.
    std::vector<std::uint32_t> origin;
};

// Undoes HTML entities, percent and backslash escapes, "[at]" and "[dot]"; drops zero-width and bidirectional marks and
// combining accents; makes ASCII of full-width and mathematical forms, of digits of other scripts, of spaces and
// dashes, and of letters that look like Latin ones (Unicode TR 39). Only what is near
// a change is in it. Nullopt where there is none.
std::optional<Folded> fold(std::string_view text);

// Visits each run of base64 (either alphabet, with or without padding, over line breaks) or hex that decodes to text:
// visit(begin, end, decoded).
void each_encoded(std::string_view text,
                  const std::function<void(std::size_t begin, std::size_t end, std::string_view decoded)>& visit);

}  // namespace tandem::privacy
