// Token counts where nobody gave any. An estimate is always marked as one.
#pragma once

#include <string_view>

#include "base/money.h"
#include "chat/conversation.h"

namespace tandem::chat {

// About how many tokens `text` is. Rule: one token for four bytes of ASCII, one for two bytes of anything else,
// rounded up. English prose comes out 5 to 20 % high for the common tokenizers, which is the safe side for fit.
Tokens estimate_tokens(std::string_view text);

// The prompt of a request: 24 tokens for the template, its messages and its tools (4 tokens of frame for each), and
// 1,600 for each image; documents and sound count by their bytes.
Tokens estimate_prompt(const Request& request);

// The most that tokenizers in use make of such text. Digits, signs, and letters where the case changes are a token
// each; 8 letters of one case are 5 (random ones measured 0.54 to 0.66 of a token each, words 0.25); a blank between
// letters goes with them; a character of two bytes is 1.25, of Thai and CJK 2, any other byte is one. Images, pages and
// sound count as what the dearest of the known providers takes for them. For budgets: what is reserved must not be less
// than what comes.
Tokens most_tokens(std::string_view text);
Tokens most_prompt(const Request& request);

}  // namespace tandem::chat
