// Token counts where nobody gave any. An estimate is always marked as one.
#pragma once

#include <string_view>

#include "base/money.h"
#include "chat/conversation.h"

namespace tandem::chat {

// About how many tokens `text` is. Rule: one token for four bytes of ASCII, one for two bytes of anything else,
// rounded up. English prose comes out 5 to 20 % high for the common tokenizers, which is the safe side for fit.
Tokens estimate_tokens(std::string_view text);

// The same before it is divided and rounded, in quarters of a token: what can be summed over pieces.
std::int64_t quarters_of(std::string_view text);

// The prompt of a request: 24 tokens for the template, its messages (4 tokens of frame for each), its
// tools, and 512 for each image.
Tokens estimate_prompt(const Request& request);

// The most that they can be, with any tokenizer whose tokens are bytes or longer (byte-level BPE, SentencePiece with
// byte fallback): each byte is a token, but a single blank before a word goes with it. Images, pages and sound count as
// what the dearest of the known providers takes for them. For budgets: what is reserved must not be less than what
// comes.
Tokens most_tokens(std::string_view text);
Tokens most_prompt(const Request& request);

}  // namespace tandem::chat
