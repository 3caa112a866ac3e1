// Conversations that are quoted in one message: what clients send when they want a title, tags, a summary or what to
// ask next for a conversation. Private to privacy/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tandem::privacy {

struct Quoted {
    std::string text;
    bool answer = false;  // a model said it
};

inline constexpr std::size_t kMostQuoted = 256;              // messages of one transcript: the newest
inline constexpr std::size_t kMostQuotedBytes = 512 * 1024;  // of a text, at its end, that are looked at

// What each said, as a message of its own. Two forms are known: lines that begin with who speaks ("USER: ...",
// "**Assistant:** ..."), up to the next such line or the end of the element ("</chat_history>") that they stand in; and
// strings of JSON under "content" or, as parts of messages have it, "text". Empty: the text quotes nobody.
std::vector<Quoted> quoted_in(std::string_view text);

}  // namespace tandem::privacy
