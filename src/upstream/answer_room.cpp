#include "upstream/answer_room.h"

#include <algorithm>

#include "provider/kind.h"

namespace tandem::upstream {

// vLLM: "maximum context length is 102400 tokens. However, you requested 103057 tokens (39057 in the messages, 64000 in
// the completion)", newer: "max_tokens is too large: 32000. ... context length is 32768 tokens and your request has
// 1234 input tokens"; Anthropic: "198981 + 21333 > 200000". Each has other words, and all have the same numbers.
std::int64_t room_in(std::string_view body, std::int64_t asked) {
    constexpr std::size_t kRead = 2000, kMostNumbers = 16;
    auto numbers = provider::numbers_in(body.substr(0, kRead));
    if (asked <= 0 || numbers.size() > kMostNumbers || std::ranges::find(numbers, asked) == numbers.end()) return 0;
    std::ranges::sort(numbers);
    numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
    std::erase(numbers, asked);
    for (const auto prompt : numbers) {
        const bool has_sum = std::ranges::find(numbers, prompt + asked) != numbers.end();
        for (const auto context : numbers)
            if (prompt < context && context < prompt + asked && (has_sum || numbers.size() == 2))
                return context - prompt;
    }
    return 0;
}

}  // namespace tandem::upstream
