// A model that goes round in circles: the same calls with the same arguments and the same results, turn after turn, at
// the end of a conversation.
#pragma once

#include <optional>
#include <string>

#include "chat/conversation.h"

namespace tandem::tools {

inline constexpr std::size_t kTurnsOfLoop = 3;  // so many alike are a loop

struct Loop {
    std::string name;  // of the first tool that it calls
    std::size_t turns = 0;
};

// Nullopt: it makes none. White space and order of members make no difference in arguments. Linear in the turns that
// are alike.
std::optional<Loop> loop_of(const chat::Request& request);

}  // namespace tandem::tools
