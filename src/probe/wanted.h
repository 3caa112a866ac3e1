// What a probe is to do, and how far it is, as its job keeps them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "probe/suite.h"

namespace tandem::probe {

inline constexpr std::uint64_t kUsualSeed = 1;

struct Wanted {
    std::string model;
    std::vector<std::string> suites = {"basics"};
    int each = 0;  // questions of each kind of `basics`
    std::uint64_t seed = kUsualSeed;
    std::int64_t longest = 0;                    // tokens of the longest prompt; 0: the usual
    std::optional<Money> budget = std::nullopt;  // that it may cost; nullopt: at home alone
    bool idle = false;                           // a question is asked only while nobody else asks
};
std::string text_of(const Wanted& wanted);
Wanted wanted_from(std::string_view payload);

// The suites that were done, and what the one under way was told.
struct Way {
    std::size_t suite = 0;
    std::size_t before = 0;  // questions of the suites that were done
    std::vector<Outcome> outcomes;
};
// At most kMostNote bytes of each note are kept.
inline constexpr std::size_t kMostNote = 120;
std::string text_of(const Way& way);
// What cannot be read is a beginning.
Way way_from(std::string_view progress);

}  // namespace tandem::probe
