// Tools for models whose chat template has none. llama-server then ignores them without a word (HAZARDS 14), so the
// tools are put into the prompt, and the answer is held to a JSON schema in which a call is always well formed: either
// {"reply": ...} or {"tool_calls": [{"name": ..., "arguments": ...}]}. tool_choice is obeyed by what the schema allows.
#pragma once

#include <memory>
#include <string>

#include "chat/conversation.h"
#include "chat/filter.h"

namespace tandem::chat {

// Whether there is anything to render: tools, or calls and results in the history.
bool needs_rendered_tools(const Request& request);

// `request` for a model without tools: no tools, no calls, no results in it. True where the answer comes in the schema
// and must go through the filter. Custom tools must have become functions, and history must be in order
// (chat/order.h). Deterministic.
bool render_tools(Request& request);

// What a model answered in the schema as text and calls. `id`: what ids of calls begin with, unique for this answer.
std::unique_ptr<EventFilter> rendered_tools_filter(std::string id);

}  // namespace tandem::chat
