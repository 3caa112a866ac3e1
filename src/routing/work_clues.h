// What a text shows of the work that it asks for, as numbers: concepts of work_lexicon.h, which of them is the first
// verb, and structure. The columns of work_weights.inc are these, and bench/work/train.py fits the weights.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::routing {

// What does not depend on a language. Each is from 0 to 1.
enum class Sign {
    bias,            // always 1
    words,           // log2 of the instruction's tokens, over 10
    tiny,            // at most 4 tokens
    few,             // at most 14
    some,            // more than 60
    many,            // more than 160
    very_many,       // more than 450
    inserted_share,  // of the text: what the instruction is about, not the instruction
    inserted,        // a text of more than 40 tokens is inserted
    inserted_long,   // of more than 600
    inserted_huge,   // of more than 2,500
    questions,       // question marks, over 3
    asks,            // ends with a question mark
    numbers,         // over 8
    formula,         // signs of mathematics, over 6
    latex,
    code,       // a fence, or lines of code
    much_code,  // of more than 1,200 bytes
    stub,       // the text begins with code of a function that is to be completed
    trace,      // a stack trace or a compiler's error
    table,
    bullets,       // lines that begin with a bullet or a number, over 8
    verbs,         // different verbs, over 5
    parts,         // commas and their like in the instruction, over 12
    sentences,     // of the instruction, over 10
    long_asked,    // 150 words or a page or more are asked for
    longer_asked,  // 500 words or two pages or more
    little_asked,  // at most 80 words are asked for
    choices,       // answers to choose from, as in an examination
    nothing,       // no word of the lexicon
    no_verb,
    count
};
inline constexpr std::size_t kSigns = static_cast<std::size_t>(Sign::count);

struct Clues {
    std::vector<float> concepts;       // by index of the concept: how much it counts, 0 to 1
    std::vector<float> leads;          // by index of the concept: 1 where it is what the text asks for first
    std::vector<std::uint16_t> words;  // by index of the concept: the word of the vocabulary that told
    std::array<float, kSigns> signs{};
    std::vector<float> pairs;  // by index of pair_names()
    std::int64_t tokens = 0;   // of the whole text, estimated
    std::int64_t inserted_tokens = 0;
    bool led_by_transform = false;
    bool handed_in = false;  // Shape::handed_in
    float sign(Sign which) const { return signs[static_cast<std::size_t>(which)]; }
    float has(std::string_view concept_name) const;  // 0 for a name that is none
    float leads_with(std::string_view concept_name) const;
};

inline constexpr std::size_t kCluesHead = 2048;  // so much of a text's beginning is looked at, in bytes
inline constexpr std::size_t kCluesTail = 640;   // and so much of its end

// Deterministic; takes any bytes; looks at kCluesHead + kCluesTail bytes but for counting tokens. `task_is_known`: the
// system prompt says what to do with the text, so no word of the text is an instruction.
Clues clues_of(std::string_view text, bool task_is_known = false);

// Two concepts, or a concept and a sign, that mean more together. "write+code_object".
std::vector<std::string> pair_names();
// "bullets", in the order of Sign; for people and for the weights.
std::string_view sign_name(std::size_t index);

}  // namespace tandem::routing
