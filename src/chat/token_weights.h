// About how many tokens a text of an answer is, by the kinds of its characters: what is counted of an answer whose
// provider never said it. The weights are those with which such texts miss the counts of seven tokenizers in use least
// (docs/cost.md has the error, bench/tokens the measurement).
#pragma once

#include <cstdint>
#include <string_view>

#include "chat/conversation.h"

namespace tandem::chat {

// A picture in an answer, whatever its size: Gemini counts 1,290 tokens for one of 1024 x 1024
// (ai.google.dev/gemini-api/docs/pricing, "Image output").
inline constexpr std::int64_t kPictureThousandths = 1'290'000;

// In thousandths of a token: what can be summed over the pieces of a stream. A piece that begins within a word or a
// number counts as one that begins there.
std::int64_t thousandths_of(std::string_view text);

// What an event says: text, thoughts, calls, a picture; 0 for what says nothing.
std::int64_t thousandths_of(const Event& event);

// Rounded up to whole tokens.
inline std::int64_t tokens_of_thousandths(std::int64_t thousandths) {
    return (thousandths + 999) / 1000;
}

}  // namespace tandem::chat
