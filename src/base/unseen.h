// Characters that nobody sees in a text: those that turn text around, fill it, carry bytes, or command a terminal.
// Models and tokenizers read them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tandem {

// The bytes of the character at the beginning of `text` where it is one of these, else 0. Line breaks and tabs are
// none, nor are the joiners that scripts need (U+200C, U+200D) and the one that makes an emoji coloured (U+FE0F).
std::size_t unseen_at(std::string_view text);

std::string without_unseen(std::string_view text);

}  // namespace tandem
