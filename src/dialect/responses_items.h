// Items of a Responses history beside messages, calls of functions and reasoning: what provider-run and client-run
// tools left there, and what programs such as Codex add. Private to dialect/.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "chat/conversation.h"

namespace tandem::dialect::openai_responses {

// An item with the picture that the model made; what has none yet is none (picture_in()).
inline constexpr std::string_view kImageCall = "image_generation_call";
std::optional<chat::Media> picture_in(const json::Value& item);

// Puts the item into `messages` so that its own dialect gets it back byte for byte and every other one gets what can be
// said of it (chat::OtherPart, or a call and its result). `param` is its place in the request.
void read_other_item(const json::Value& item, const std::string& param, std::vector<chat::Message>& messages);

}  // namespace tandem::dialect::openai_responses
