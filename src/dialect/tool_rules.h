// What each target takes as a tool: names, schemas and ids of calls. What breaks its rules is said in another way, and
// said back to the client as the client said it. Private to dialect/ and gateway/.
//
// Names: OpenAI's APIs take 64 letters, digits, _ and -; Anthropic 128 of them; Gemini 64 that may have dots and colons
// too. Ollama and llama-server take any. Schemas: all but Gemini want an object with its properties. Ids of calls: 40
// bytes in Chat Completions, 64 in Responses; letters, digits, _ and - at Anthropic.
#pragma once

#include <map>
#include <string>

#include "chat/conversation.h"
#include "dialect/losses.h"

namespace tandem::dialect {

// Whether `target` would refuse a name, a schema or an id of this request.
bool breaks_tool_rules(const chat::Request& request, Speaker target);

// Makes all of them such as `target` takes. The same request becomes the same. Names that were changed, by their new
// one.
std::map<std::string, std::string> keep_tool_rules(chat::Request& request, Speaker target);

}  // namespace tandem::dialect
