// Finds the candidates of the patterns whose expressions are classes of characters alone, as "a digit at a word's
// beginning". Vectorscan has no literal to look for in these and walks automata over every byte, which took three
// quarters of its time; here they are found in blocks of bits, one for each byte of the text. Private to privacy/.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tandem::privacy {

// Whether the pattern of this id is found here, not by Vectorscan.
bool is_of_classes(std::string_view id);

// One pass over one text, which outlives it. The candidates are exactly the matches of the patterns' expressions
// (a test compares both).
class ClassScan {
  public:
    // Takes a candidate of patterns()[id], one past whose last byte is `end`. False stops the pass.
    using Take = bool (*)(void* context, unsigned id, std::size_t end);

    ClassScan(std::string_view text, Take take, void* context);

    // Gives all candidates that end at `to` or before and were not given yet. Numbers and IPv6 addresses, which look at
    // what was read before them, are given in the order of their ends; the others may be given early. False where it
    // was stopped.
    bool advance(std::size_t to);

  private:
    struct Masks;
    void read_block();
    void look_at_digits(std::string_view bytes, std::uint64_t digits);
    void look_behind_letters(const Masks& masks);
    void look_before_letters(const Masks& masks);
    void look_at_numbers(const Masks& masks, std::uint64_t points);
    void give(unsigned which, std::size_t end);
    void give_number(std::size_t at);
    template <typename Look>
    void each(std::uint64_t bits, Look&& look);

    std::string_view text_;
    Take take_;
    void* context_;
    const unsigned* places_;  // of the patterns that are found here
    std::size_t block_ = 0;   // where the bits begin in the text
    std::size_t next_ = 0;    // the block behind
    std::uint64_t numbers_ = 0, colons_ = 0;
    std::uint64_t colons_behind_ = 0;  // those of the next block that began in this one
    bool stopped_ = false;
};

}  // namespace tandem::privacy
