// Characters that nobody sees in a text: those that turn text around, fill it, carry bytes, or command a terminal.
// Models and tokenizers read them.
#pragma once

#include <string>
#include <string_view>

namespace tandem {

// Line breaks and tabs stay, and so do the joiners that scripts need (U+200C, U+200D) and the one that makes an emoji
// coloured (U+FE0F).
std::string without_unseen(std::string_view text);

}  // namespace tandem
