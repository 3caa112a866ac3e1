// JSON as some servers write it, made into JSON: characters that are cut in two, bytes that are no UTF-8, and control
// characters that stand in a string as they are.
//
// A model says a character in several tokens, and a server that sends each token as it comes may cut it: half of a
// surrogate pair as an escape ("\ud83c"), or the first bytes of UTF-8. Such a piece becomes a mark here, one code point
// of a private plane (U+10D800 to U+10E0FF), so that the rest can be read, and the halves found and joined. Marks stay
// inside: unmarked() takes them out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tandem::json {

// Length of the UTF-8 character at `text[i]`, or 0 where there is none (RFC 3629 section 4).
std::size_t character_length(std::string_view text, std::size_t i);

inline constexpr std::size_t kMarkBytes = 4;  // of each mark in UTF-8

// `json` with a mark in place of each half and each stray byte, and with escapes for control characters inside strings.
// What is wrong otherwise stays wrong. Linear.
std::string marked(std::string_view json);

// Each run of marks as the characters that it makes; U+FFFD for a half or a byte that makes none.
std::string unmarked(std::string_view text);

// Both: what is left of `json` when nothing follows it.
std::string mended(std::string_view json);

// Bytes at the end of `text` that are the marks of a character's beginning; 0 where it ends well.
std::size_t begun(std::string_view text);

// Bytes at the start of `text` that are the marks of what `beginning` lacks, a begun() of another text; 0 where it does
// not go on with it.
std::size_t rest_of(std::string_view beginning, std::string_view text);

}  // namespace tandem::json
