#include "probe/suites/feature.h"

#include <algorithm>

#include "probe/checks.h"

namespace tandem::probe {

namespace {

bool has(std::span<const Outcome> outcomes, std::int64_t mark) {
    return std::ranges::any_of(
        outcomes, [mark](const Outcome& outcome) { return outcome.numbers.size() == 1 && outcome.numbers[0] == mark; });
}

}  // namespace

std::optional<Outcome> failure_of(const Heard& heard) {
    if (heard.error.empty()) return std::nullopt;
    return Outcome{false, {is_refusal(heard.code) ? kRefused : kBroke}, heard.error};
}

Question asked_of(std::string_view name, Asking asking, std::function<Outcome(const Heard&)> judge) {
    Question question;
    question.name = name;
    question.at_once.push_back(std::move(asking));
    question.errors = Errors::any;
    question.judge = [judge = std::move(judge)](std::span<const Heard> heard) {
        if (auto outcome = failure_of(heard[0])) return std::move(*outcome);
        auto outcome = judge(heard[0]);
        if (outcome.passed == false && outcome.note.empty()) outcome.note = "said: " + said(heard[0].told);
        return outcome;
    };
    return question;
}

std::optional<Verdict> failed(std::span<const Outcome> outcomes) {
    if (has(outcomes, kRefused)) return Verdict::refuses;
    if (has(outcomes, kBroke)) return Verdict::breaks;
    return std::nullopt;
}

Verdict all_passed(const Subject&, std::span<const Outcome> outcomes) {
    if (const auto error = failed(outcomes)) return *error;
    const bool all = std::ranges::all_of(outcomes, [](const Outcome& one) { return one.passed == true; });
    const bool unknown = std::ranges::any_of(outcomes, [](const Outcome& one) { return !one.passed; });
    return all ? Verdict::honours : unknown ? Verdict::unknown : Verdict::ignores;
}

}  // namespace tandem::probe
