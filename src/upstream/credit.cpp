#include "upstream/credit.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace tandem::upstream {

bool lacks_credit(int status, std::string_view message) {
    constexpr int kPaymentRequired = 402, kBadRequest = 400, kForbidden = 403;
    if (status == kPaymentRequired) return true;
    if (status != kBadRequest && status != kForbidden) return false;
    // Anthropic's, DeepSeek's and OpenRouter's words.
    constexpr std::array<std::string_view, 4> kWords = {"credit balance is too low", "insufficient balance",
                                                        "insufficient credits", "requires more credits"};
    const auto said = lower(message);
    return std::ranges::any_of(kWords, [&](std::string_view words) { return said.find(words) != std::string::npos; });
}

}  // namespace tandem::upstream
