// The escapes that one place of a text may hold. Private to disguise.cpp.
#pragma once

#include <string>
#include <string_view>

namespace tandem::privacy {

// What stands for the bytes [at - before, at + size) of a text; size 0: nothing is disguised there.
struct Undone {
    std::string text;
    std::size_t size = 0;
    std::size_t before = 0;
};

int hex_value(char c);  // -1: no hex digit

// Whether a disguise may stand at a byte: undo() is asked about these only.
bool may_be_disguised(char c);

Undone undo(std::string_view text, std::size_t at);

}  // namespace tandem::privacy
