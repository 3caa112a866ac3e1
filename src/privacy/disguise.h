// The canonical form of a text: as its reader sees it, without escapes, look-alikes and invisible characters, and what
// base64, hex and the other codings stand for. docs/privacy.md lists what is undone, to what depth. Private to
// privacy/.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::privacy {

// How many disguises are undone that stand one within the other: base64 of hex of percent escapes.
inline constexpr int kDisguises = 3;

// A text that was made of another, piece by piece.
struct Folded {
    // A stretch of `text`, up to where the next piece begins; the last piece is the text's end, and empty.
    struct Piece {
        std::uint32_t begin;
        std::uint32_t origin;  // where its first byte came from
        bool copied;           // each next byte came from the next one; else all of them stand for the same place
    };
    std::string text;
    std::vector<Piece> pieces;

    // Where text[at] came from; at the text's end, where that is in the other text.
    std::size_t origin_of(std::size_t at) const;
    // Where the piece of the other text ends that text[0, end) was made of.
    std::size_t end_of(std::size_t end) const;

  private:
    std::vector<Piece>::const_iterator piece_at(std::size_t at) const;
};

// Undoes one layer: HTML entities, percent, backslash, U+ and quoted-printable escapes, "[at]" and "[dot]", strings
// that code joins; drops what is invisible and marks on letters; makes ASCII of what looks like it or means it in
// another form (unicode/generate.py). Only what is near a change is in it. Nullopt where there is none.
std::optional<Folded> fold(std::string_view text);

// The same with all of the text in it, changed or not, and to the depth of kDisguises.
Folded canonical(std::string_view text);

// Line breaks taken out of the middle of what may be one word of an address or a key. Only what is near one is in it.
std::optional<Folded> unwrapped(std::string_view text);

// A run of a coding, and what it stands for.
struct Encoded {
    std::size_t begin, end;
    std::string_view decoded;  // while it is visited
    bool spelled;              // its characters stand in the text, apart: what is around it belongs to it
};

// Visits each run of a coding that stands for text. Codings: base64 in both alphabets, padded
// or not, over line breaks, of UTF-8 and UTF-16; hex in one run, behind 0x, in pairs or words that blanks, commas,
// colons or dashes part, and in dumps; tag characters and variation selectors; single characters that one and the same
// separator parts ("4 1 1 1", ["4","1"]). Runs are at least 8 bytes of text.
void each_encoded(std::string_view text, const std::function<void(const Encoded&)>& visit);

}  // namespace tandem::privacy
