// Features of a server, for the suite `compatibility`: how each is asked for, and what the answers say of it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/suite.h"

namespace tandem::probe {

// What a server does with something that is asked for.
enum class Verdict {
    honours,
    ignores,  // without a word
    refuses,  // with an error that says so
    breaks,   // with an error of its own, or a wrong answer
    unknown,  // it cannot be told
};
inline constexpr std::array<std::string_view, 5> kVerdictNames = {"honours", "ignores", "refuses", "breaks", "unknown"};

struct Feature {
    std::string_view name;
    std::size_t steps;  // questions
    // Of the outcomes of the steps before.
    Question (*ask)(const Subject& subject, std::span<const Outcome> before);
    Verdict (*verdict)(const Subject& subject, std::span<const Outcome> outcomes);
};
// In the order in which they are asked. Whether a prompt that is too long is refused comes last, where a context is
// claimed that it does not take too long to overrun.
std::vector<const Feature*> features_for(const Subject& subject);

// ---- what features share (feature.cpp) ----

// An error as an outcome: `numbers` is {kRefused} or {kBroke}; nothing where there was none.
inline constexpr std::int64_t kRefused = -1, kBroke = -2;
std::optional<Outcome> failure_of(const Heard& heard);
// A question of one request, judged by `judge` where there is an answer.
Question asked_of(std::string_view name, Asking asking, std::function<Outcome(const Heard&)> judge);
// refuses or breaks, where one of the outcomes is an error.
std::optional<Verdict> failed(std::span<const Outcome> outcomes);
// honours where all passed, else ignores; or as failed().
Verdict all_passed(const Subject& subject, std::span<const Outcome> outcomes);

}  // namespace tandem::probe
