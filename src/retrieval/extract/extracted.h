// What a file says, as its format's reader gives it: blocks of UTF-8 text in the order of reading, each with its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::retrieval {

enum class BlockKind : std::uint8_t {
    paragraph,
    heading,  // `level` says of which depth; the text is part of the content
    scope,    // the same, but the text stands in the next block too (a function's first line, a table's head)
    code,     // lines are kept as they are
    row,      // one of many that are alike
};
inline constexpr std::uint8_t kLastBlockKind = static_cast<std::uint8_t>(BlockKind::row);

struct Block {
    BlockKind kind = BlockKind::paragraph;
    std::uint8_t level = 0;                       // of headings and scopes: 1 to 6
    bool verbatim = false;                        // the text is the source's own bytes, line by line
    std::uint32_t first_line = 0, last_line = 0;  // from 1; 0: the format has no lines
    std::uint32_t page = 0;                       // from 1; 0: the format has no pages
    std::uint64_t begin = 0, end = 0;             // bytes of the file's UTF-8 form
    std::string text;
};

struct Extracted {
    std::string title;  // empty: the file names none
    std::vector<Block> blocks;
    std::size_t text_bytes = 0;  // of all blocks
};

// What a reader is given, and where it puts what it finds. It bounds itself by `most_text`.
struct Input {
    std::string_view bytes;
    std::string_view name;               // the file's own, without its folder
    std::size_t most_text = 64UL << 20;  // bytes of all blocks
    int depth = 0;                       // of archives and mails in each other
};

inline constexpr int kDeepest = 4;
inline constexpr std::size_t kMostBlocks = 2'000'000;

// The bytes as UTF-8 (to_utf8()); nullopt where they are no text, and `why` says so.
std::optional<std::string_view> text_of(const Input& input, std::string& own, std::string& why);

// Adds a block unless it is blank or there is no room; false where there is none.
bool add(Extracted& to, const Input& input, Block block);

}  // namespace tandem::retrieval
