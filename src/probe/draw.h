// What questions are drawn from: numbers that follow from a seed.
#pragma once

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/splitmix.h"

namespace tandem::probe {

class Draw {
  public:
    explicit Draw(std::uint64_t seed) : numbers_(seed) {}
    // Another one for a part of the same probe: what it gives does not hang on how much was drawn for other parts.
    static Draw of(std::uint64_t seed, std::string_view part, std::uint64_t number);

    int from(int low, int high) {
        return low + static_cast<int>(numbers_.next() % static_cast<std::uint64_t>(high - low + 1));
    }
    template <typename List>
    auto one_of(const List& list) {
        return list[numbers_.next() % std::size(list)];
    }
    // Fisher and Yates.
    template <typename T>
    void shuffle(std::vector<T>& list) {
        for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[numbers_.next() % i]);
    }
    // A word that is none: "belorim". Capitalized it may be a name. Two or three syllables.
    std::string word();
    std::string name();
    // `count` different ones.
    std::vector<std::string> names(std::size_t count);
    std::vector<std::string> words(std::size_t count);

  private:
    SplitMix64 numbers_;
};

}  // namespace tandem::probe
