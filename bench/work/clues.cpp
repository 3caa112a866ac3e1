// Prints the clues of texts for bench/work/train.py: texts stand on standard input, each with its size in bytes on a
// line of its own before it. The first line is the names of the columns; then a line of numbers for each text.
#include <iostream>
#include <string>

#include "routing/work_clues.h"
#include "routing/work_lexicon.h"

using namespace tandem::routing;

int main() {
    for (const auto& one : concepts()) std::cout << one.name << ' ';
    for (const auto& one : concepts())
        if (one.role != Concept::Role::word) std::cout << "lead:" << one.name << ' ';
    for (std::size_t i = 0; i < kSigns; ++i) std::cout << "sign:" << sign_name(i) << ' ';
    for (const auto& name : pair_names()) std::cout << name << ' ';
    std::cout << '\n';
    for (std::size_t size = 0; std::cin >> size;) {
        std::cin.ignore();
        std::string text(size, '\0');
        std::cin.read(text.data(), static_cast<std::streamsize>(size));
        const auto clues = clues_of(text);
        for (const auto value : clues.concepts) std::cout << value << ' ';
        for (std::size_t i = 0; i < concepts().size(); ++i)
            if (concepts()[i].role != Concept::Role::word) std::cout << clues.leads[i] << ' ';
        for (const auto value : clues.signs) std::cout << value << ' ';
        for (const auto value : clues.pairs) std::cout << value << ' ';
        std::cout << '\n';
    }
}
