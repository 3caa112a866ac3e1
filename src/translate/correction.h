// One more question after an answer that could not be used. Private to translate/.
#pragma once

#include "chat/conversation.h"
#include "tools/notes.h"

namespace tandem::translate {

// What the model said, and what was wrong with it, behind the conversation.
void correct(const tools::Wrong& wrong, chat::Request& request);

}  // namespace tandem::translate
