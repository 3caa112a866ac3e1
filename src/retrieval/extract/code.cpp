// Source code and settings: pieces between blank lines, and the definition that each stands in. What a definition is,
// is told by lines that are not indented; grammars of each language may come in their place.
#include <array>

#include "retrieval/extract/formats.h"
#include "retrieval/extract/lines.h"

namespace tandem::retrieval {

namespace {

constexpr std::size_t kLongestScope = 120;

constexpr auto kDefines = std::to_array<std::string_view>(
    {"def ",   "class ",   "fn ",     "pub ",       "func ",   "function ", "struct ",    "enum ",   "interface ",
     "impl ",  "trait ",   "module ", "namespace ", "public ", "private ",  "protected ", "static ", "export ",
     "async ", "template", "type ",   "sub ",       "object ", "package ",  "create ",    "CREATE ", "["});

bool begins_definition(std::string_view line) {
    for (const auto word : kDefines)
        if (line.starts_with(word)) return true;
    // `int main(int argc, char** argv) {`, and no call, which ends in a semicolon.
    const auto open = line.find('(');
    if (open == std::string_view::npos || open == 0 || line.ends_with(';')) return false;
    const auto first = static_cast<unsigned char>(line.front());
    const bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || first == '_';
    return letter && line.find(' ') < open;
}

bool add_scope(const Input& input, Extracted& to, const Line& line) {
    if (line.text.empty() || line.text.front() == ' ' || line.text.front() == '\t' || !begins_definition(line.text))
        return true;
    Block block;
    block.kind = BlockKind::scope;
    block.level = 1;
    block.first_line = block.last_line = line.number;
    block.begin = line.begin;
    block.end = line.end;
    block.text = line.text.substr(0, std::min(line.text.find_first_of("{;"), kLongestScope));
    while (!block.text.empty() && (static_cast<unsigned char>(block.text.back()) & 0xC0U) == 0x80U &&
           block.text.size() >= kLongestScope - 3)
        block.text.pop_back();  // half a character at the cut
    while (block.text.ends_with(' ')) block.text.pop_back();
    return add(to, input, std::move(block));
}

}  // namespace

bool read_code(const Input& input, Extracted& to, std::string& why) {
    std::string own;
    const auto text = text_of(input, own, why);
    if (!text) return false;
    Block piece;
    bool open = false, room = true;
    const auto flush = [&] {
        if (!open) return true;
        open = false;
        piece.kind = BlockKind::code;
        piece.verbatim = true;
        piece.text = text->substr(piece.begin, piece.end - piece.begin);
        return add(to, input, std::exchange(piece, {}));
    };
    each_line(*text, [&](const Line& line) {
        if (is_blank_line(line.text)) return room = flush();
        const bool outside = line.text.front() != ' ' && line.text.front() != '\t';
        if (outside && begins_definition(line.text)) room = flush() && add_scope(input, to, line);
        if (!open) {
            piece.first_line = line.number;
            piece.begin = line.begin;
            open = true;
        }
        piece.last_line = line.number;
        piece.end = line.end;
        return room;
    });
    room = room && flush();
    if (!room) why = "the file has more text than is read";
    return room;
}

}  // namespace tandem::retrieval
