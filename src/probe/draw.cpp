#include "probe/draw.h"

#include <algorithm>
#include <array>
#include <functional>

namespace tandem::probe {

namespace {

constexpr std::array<std::string_view, 20> kHeads = {"b", "br", "d", "dr", "f", "g", "h",  "k", "kr", "l",
                                                     "m", "n",  "p", "r",  "s", "t", "tr", "v", "w",  "z"};
constexpr std::array<std::string_view, 7> kVowels = {"a", "e", "i", "o", "u", "ai", "ea"};
constexpr std::array<std::string_view, 8> kTails = {"", "", "l", "m", "n", "r", "s", "k"};

std::vector<std::string> different(std::size_t count, const std::function<std::string()>& make) {
    std::vector<std::string> list;
    while (list.size() < count)
        if (auto one = make(); std::ranges::find(list, one) == list.end()) list.push_back(std::move(one));
    return list;
}

}  // namespace

// FNV-1a (Fowler, Noll, Vo), so that it is the same on every machine.
Draw Draw::of(std::uint64_t seed, std::string_view part, std::uint64_t number) {
    std::uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
    const auto add = [&hash](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3ULL; };
    for (const char c : part) add(static_cast<unsigned char>(c));
    for (int shift = 0; shift < 64; shift += 8) add((number >> static_cast<unsigned>(shift)) & 0xFFU);
    return Draw(hash);
}

std::string Draw::word() {
    std::string word;
    const int syllables = from(2, 3);
    for (int i = 0; i < syllables; ++i) {
        word += one_of(kHeads);
        word += one_of(kVowels);
        if (i + 1 == syllables) word += one_of(kTails);
    }
    return word;
}

std::string Draw::name() {
    auto name = word();
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return name;
}

std::vector<std::string> Draw::names(std::size_t count) {
    return different(count, [this] { return name(); });
}

std::vector<std::string> Draw::words(std::size_t count) {
    return different(count, [this] { return word(); });
}

}  // namespace tandem::probe
