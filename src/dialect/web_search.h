// Web search that a provider runs, in the words of each dialect that has it: OpenAI Responses, Anthropic, Gemini.
// Private to dialect/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "chat/conversation.h"
#include "dialect/losses.h"

namespace tandem::dialect {

// What a hosted tool of this type does: "web_search", "web_search_20250305", "googleSearch", ...
chat::Tool::Service service_of(std::string_view type);

// The definition of a web search as `target` says it. Nothing where it has none, or cannot say which sites are allowed.
std::optional<std::string> web_search_for(const chat::Tool& tool, Speaker target);

}  // namespace tandem::dialect
