// Why nobody may take a request: its code, and the reason of each model.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "routing/routing.h"

namespace tandem::routing {

namespace {

// Of candidates that only the owner's rules and their own abilities exclude. Models for other work do not count where
// others are excluded besides.
Fault why_by_policy(const std::vector<Candidate>& candidates) {
    const auto all = [&](Excluded what) {
        return std::ranges::all_of(
            candidates, [&](const Candidate& c) { return c.excluded == what || c.excluded == Excluded::capability; });
    };
    if (candidates.empty()) return Fault::no_candidate;
    if (std::ranges::all_of(candidates, [](const auto& c) { return c.excluded == Excluded::capability; }))
        return Fault::no_capable_candidate;
    if (all(Excluded::label)) return Fault::no_candidate_for_label;
    if (!all(Excluded::rule)) return Fault::no_candidate;
    return std::ranges::any_of(candidates, &Candidate::refused_unpriced) ? Fault::price_unknown
                                                                         : Fault::excluded_by_rule;
}

}  // namespace

Error Decision::refusal(std::string_view currency) const {
    std::vector<std::pair<std::string, std::string>> reasons;
    for (const auto& candidate : candidates) {
        const bool money = candidate.excluded == Excluded::budget && candidate.estimate > Money{};
        reasons.emplace_back(money ? fmt::format("{} (up to {}{}{})", candidate.model, candidate.estimate.text(),
                                                 currency.empty() ? "" : " ", currency)
                                   : candidate.model,
                             candidate.reason);
    }
    const auto message = "no model may take this request: " +
                         (candidates.empty() ? "none is configured for this alias" : by_reason(reasons));
    auto any = [&](Excluded what) {
        return std::ranges::any_of(candidates, [&](const auto& c) { return c.excluded == what; });
    };
    // Models for other work do not count: where all the others are too small, it is the prompt that is too long.
    const bool too_long = any(Excluded::context) && std::ranges::all_of(candidates, [](const auto& c) {
                              return c.excluded == Excluded::context || c.excluded == Excluded::capability;
                          });
    if (any(Excluded::blocked)) return {Fault::blocked_by_policy, message};
    // One that is only unwell may come back: then waiting helps, and 503 says so.
    if (any(Excluded::health)) return {Fault::no_healthy_candidate, message};
    if (any(Excluded::budget)) return {Fault::budget_used_up, message};
    if (too_long) {
        Error error{Fault::prompt_too_long, message + "; shorten the conversation, or ask for a shorter answer",
                    "messages"};
        for (const auto& c : candidates) {
            if (c.needed_tokens == 0 || c.context_tokens < error.context_tokens) continue;
            error.prompt_tokens = c.needed_tokens;
            error.context_tokens = c.context_tokens;
        }
        return error;
    }
    return {why_by_policy(candidates), message};
}

}  // namespace tandem::routing
