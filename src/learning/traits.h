// A text as numbers that a predictor can learn from, without asking a model: counts of what its sentences are made of,
// and its words and pairs of words, hashed. Deterministic; linear in the text; nothing of the text can be read back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "chat/told.h"

namespace tandem::learning {

// Entries of a sparse vector, by index, each once.
using Traits = std::vector<std::pair<std::uint32_t, float>>;

inline constexpr std::uint32_t kHashedTraits = 8192;
inline constexpr std::uint32_t kCountedTraits = 21;  // of the prompt
inline constexpr std::uint32_t kAnswerTraits = 14;   // of an answer to it, where one is there
inline constexpr std::uint32_t kSureTraits = 4;      // of how sure the model was of it, where it says so
inline constexpr std::uint32_t kMeaningTraits = 64;  // of the prompt's embedding, where one was made
inline constexpr std::uint32_t kFirstOfAnswer = kHashedTraits + kCountedTraits;
inline constexpr std::uint32_t kFirstOfMeaning = kFirstOfAnswer + kAnswerTraits + kSureTraits;
inline constexpr std::uint32_t kAllTraits = kFirstOfMeaning + kMeaningTraits;

constexpr bool is_of_answer(std::uint32_t trait) {
    return trait >= kFirstOfAnswer && trait < kFirstOfMeaning;
}

// Of a prompt: its first 4 KiB.
Traits traits_of(std::string_view prompt);

// The same with what an answer to it looks like: its length, its end, its numbers and whether they come from the
// prompt, refusals, repetition; and how sure the model was of it.
Traits traits_of(std::string_view prompt, std::string_view answer, const chat::Sureness& sure = {});

// What a prompt means, as few numbers: a random projection of its embedding (Achlioptas 2003), which keeps what is near
// near. `vector` is of length 1, of any size; the same size has the same projection everywhere.
using Meaning = std::vector<float>;
Meaning meaning_of(const std::vector<float>& vector);
// Adds it; an empty one adds nothing.
void add_meaning(Traits& traits, const Meaning& meaning);

// As bytes for the store, four for each entry, and back; rounded to a four-thousandth. Errors: invalid, where they are
// none.
std::string to_bytes(const Traits& traits);
Result<Traits> traits_from_bytes(std::string_view bytes);

}  // namespace tandem::learning
