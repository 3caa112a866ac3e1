// What a provider seals and wants to see again is a reasoning part's signature. Some of it is JSON that others read
// too, behind a mark that says which.
#pragma once

#include <string_view>

namespace tandem::chat {

// OpenRouter wants its list reasoning_details back in the turn that it came with: the texts, signatures and sealed
// thoughts of whichever provider answered. In a ReasoningPart's signature it is this and the list's JSON.
inline constexpr std::string_view kReasoningDetails = "reasoning_details:";

}  // namespace tandem::chat
