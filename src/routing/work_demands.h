// Demands that are hard whatever else a request says: to prove or derive, and to design. And requests that make
// several demands, of which the first are small talk or commands.
#pragma once

#include <string_view>

namespace tandem::routing {

enum class Demand {
    none,
    prove,   // or derive
    design,  // a system, a method, an experiment
};

// What the instruction of a text demands, in the languages of the lexicon. A text that is handed in, or in quotation
// marks, demands nothing. Linear in the text.
Demand demand_of(std::string_view text);

// The text behind the demands at its beginning that `is_small` says are small: greetings, thanks, commands to a device;
// behind a command also a short text to work on ("Translate to French: hi."). The whole text where it begins with
// something else, or where nothing is left. Looks at kMostSmall sentences at most.
inline constexpr int kMostSmall = 4;
enum class Small { no, words, command, transform };
template <typename IsSmall>
std::string_view behind_small_demands(std::string_view text, IsSmall is_small);

// Where the first sentence ends: behind its sign and the blanks that follow; the size of the text where it has one.
std::size_t end_of_sentence(std::string_view text);

template <typename IsSmall>
std::string_view behind_small_demands(std::string_view text, IsSmall is_small) {
    bool commanded = false;
    auto rest = text;
    for (int i = 0; i < kMostSmall; ++i) {
        const auto end = end_of_sentence(rest);
        if (end >= rest.size()) break;
        const auto small = is_small(rest.substr(0, end));
        if (small == Small::no || (small == Small::transform && !commanded)) break;
        commanded = commanded || small == Small::command;
        rest.remove_prefix(end);
    }
    return rest;
}

}  // namespace tandem::routing
