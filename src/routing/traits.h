// A text as numbers that a predictor can learn from, without asking a model: counts of what its sentences are made of,
// and its words and pairs of words, hashed. Deterministic; linear in the text; nothing of the text can be read back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tandem::routing {

// Entries of a sparse vector, by index, each once.
using Traits = std::vector<std::pair<std::uint32_t, float>>;

inline constexpr std::uint32_t kHashedTraits = 8192;
inline constexpr std::uint32_t kCountedTraits = 21;  // of the prompt
inline constexpr std::uint32_t kAnswerTraits = 14;   // of an answer to it, where one is there
inline constexpr std::uint32_t kAllTraits = kHashedTraits + kCountedTraits + kAnswerTraits;

// Of a prompt: its first 4 KiB.
Traits traits_of(std::string_view prompt);

// The same with what an answer to it looks like: its length, its end, its numbers and whether they come from the
// prompt, refusals, repetition.
Traits traits_of(std::string_view prompt, std::string_view answer);

// As bytes for the store, four for each entry, and back; rounded to a four-thousandth. Errors: invalid, where they are
// none.
std::string to_bytes(const Traits& traits);
Result<Traits> traits_from_bytes(std::string_view bytes);

}  // namespace tandem::routing
