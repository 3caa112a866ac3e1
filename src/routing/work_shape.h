// Which parts of a text are the instruction, and which are a text that is handed in with it: "translate: ...". Also
// what the clues of work_clues.h and this share.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "routing/work_words.h"

namespace tandem::routing {

// A piece of the text, and how much its words say of what is asked for: 1 for the instruction, less for what is
// inserted.
struct Segment {
    std::string_view text;
    float weight = 1;
    bool inserted = false;
};

struct Shape {
    std::vector<Segment> segments;
    std::size_t inserted_bytes = 0;
    std::size_t code_bytes = 0;
    bool handed_in = false;  // no word of the lexicon says what to do, but to a text that is handed in
};

// The instruction is the first paragraph up to a colon, and a short last one; what stands between or after them is
// inserted where the instruction is to do something with a text. `task_is_known`: the system prompt says what to do, so
// all of the text is inserted. Its parts view `text`.
Shape shape_of(std::string_view text, bool task_is_known);

bool is_code_line(std::string_view line);
std::vector<std::string_view> lines_of(std::string_view text);
bool is_japanese(std::string_view text);
const Concept& concept_of(const Hit& hit);
bool is_verb(const Hit& hit);

// The verb that says what is asked for: the first, and in Japanese the last; the longest where several begin at one
// place. Null where there is none. `last`: the text is Japanese.
const Hit* lead_in(const std::vector<Hit>& hits, bool last);

// About how many tokens of English a text would be: four bytes are one, where a letter of two bytes counts as one byte,
// so that Russian is not twice as long as Polish; a Chinese character says as much as three letters do.
std::int64_t tokens_of(std::string_view text);

}  // namespace tandem::routing
