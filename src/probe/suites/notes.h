// Long texts with questions about them, for the suite `context`.
//
// A text is made of notes of five forms, mixed. Each form stands in it many times with other names and numbers, and any
// of the notes could be the one that is asked for: nothing in its words or its place tells which, before the question
// is read. All names are invented, so no model has seen a text.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "chat/told.h"

namespace tandem::probe {

enum class NotesKind {
    one,       // one note among many of its form
    several,   // three of them, in the order in which they are asked for
    tracking,  // a value that goes from name to name, in three notes
    summing,   // amounts of one person, in three notes
    unworded,  // the question has no word of the note that answers it
};
inline constexpr std::array<std::string_view, 5> kNotesKindNames = {"needle", "needles", "tracking", "aggregation",
                                                                    "no-shared-words"};

struct Notes {
    std::string text;  // with the question behind it
    std::function<bool(const chat::Told&)> right;
};

// `bytes`: how long the text is, at least about 1,000. `depth`: where the note stands that is asked for, from 0 (the
// beginning) to 1; of several notes, where the first of them may stand at the earliest, from 0 to 1.
Notes notes(std::uint64_t seed, NotesKind kind, int number, std::size_t bytes, double depth);

}  // namespace tandem::probe
