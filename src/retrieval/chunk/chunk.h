// Cuts what a file says into chunks along its structure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "retrieval/extract/extracted.h"

namespace tandem::retrieval {

struct Chunk {
    std::string text = {};
    std::string heading = {};                     // "Install > On Debian"; empty: none
    std::uint32_t first_line = 0, last_line = 0;  // from 1; 0: the format has no lines
    std::uint32_t page = 0;
    std::uint64_t begin = 0, end = 0;  // bytes of the file's UTF-8 form
};

// What an embedder of 256 tokens reads (all-MiniLM-L6-v2), without its two marks.
inline constexpr std::size_t kMostChunkTokens = 254;

// How many tokens a text has at most, so far as words tell: a word of letters alone counts one and one more for every
// six bytes, one with digits one and one more for every two; each sign, and each character beyond ASCII, counts one.
std::size_t tokens_at_most(std::string_view text);

// Chunks of at most kMostChunkTokens by that count, heading path included, in the file's order. A section begins a new
// chunk unless what is before it is short; a block that is too long is cut at the ends of lines, of sentences, of
// words.
std::vector<Chunk> chunks_of(const Extracted& extracted);

}  // namespace tandem::retrieval
