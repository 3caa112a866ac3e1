// The words by which work.cpp tells what is asked for: the same concepts ("translate", "prove", "code object") in
// English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Russian, Chinese and Japanese, and some in
// others.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace tandem::routing {

// One thing that a request can ask for or be about.
struct Concept {
    enum class Role {
        word,       // says what the request is about
        verb,       // says what is to be done
        transform,  // is a verb whose object is a text that the request brings
    };
    std::string_view name;  // "code_object": shown to people with blanks for underscores
    Role role = Role::word;
    // Words and phrases between commas, as a person writes them: accents, case, hyphens and apostrophes do not matter.
    // A star at the end of a word stands for any ending. What has Chinese or Japanese characters is found inside a text
    // too.
    std::string_view words;
};

// All of them, in the order in which work_weights.inc has its columns.
std::span<const Concept> concepts();

}  // namespace tandem::routing
