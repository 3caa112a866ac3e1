// What a refusal tells of the room for an answer: that the prompt fits, and with the answer that was asked for does
// not.
#pragma once

#include <cstdint>
#include <string_view>

namespace tandem::upstream {

// The tokens that an answer could have, where `body` (of a refusal) has the numbers to tell: the context, the prompt,
// and `asked`, the bound that was sent. 0 where it does not.
std::int64_t room_in(std::string_view body, std::int64_t asked);

}  // namespace tandem::upstream
