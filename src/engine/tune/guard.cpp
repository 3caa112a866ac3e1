#include "engine/tune/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "base/text.h"

namespace tandem::engine::tune {

namespace {

constexpr double kLeastRest = 1e-6;  // probability of all other tokens together, at least
constexpr double kLeastLog = -100;   // of a probability that is believed
constexpr std::size_t kShown = 80;   // bytes of an answer in a message

double rest_of(const Likely& likely) {
    double sum = 0;
    for (const auto& [token, log] : likely) sum += std::exp(log);
    return std::max(kLeastRest, 1 - sum);
}

std::vector<double> divergences(const std::vector<Likely>& before, const std::vector<Likely>& after) {
    std::vector<double> all;
    for (std::size_t at = 0; at < std::min(before.size(), after.size()); ++at)
        all.push_back(divergence(before[at], after[at]));
    return all;
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::string drift(const std::vector<Likely>& before, const std::vector<Likely>& after, std::string_view where) {
    if (after.size() < before.size()) return fmt::format("it gave no probabilities {}", where);
    const auto all = divergences(before, after);
    if (all.empty()) return {};
    const double most = *std::ranges::max_element(all);
    if (mean(all) <= kMostMeanDivergence && most <= kMostDivergence) return {};
    return fmt::format(
        "its next tokens differ {}: a divergence of {:.4f} on average and {:.4f} at most, where {} and {} are the most",
        where, mean(all), most, kMostMeanDivergence, kMostDivergence);
}

}  // namespace

Result<Likely> likely_of(std::string_view answer) {
    json::Document document;
    if (auto ok = document.parse(std::string(answer)); !ok) return fail(ok.error());
    Likely likely;
    for (const auto place : document.root()["completion_probabilities"].children()) {
        for (const auto one : place["top_logprobs"].children()) {
            const auto token = one["id"].integer();
            const auto log = one["logprob"].number();
            if (token && log) likely[*token] = std::clamp(*log, kLeastLog, 0.0);
        }
        break;
    }
    if (likely.empty())
        return fail(ErrorCode::invalid, "the program says no probabilities of tokens (`n_probs`): take a newer one");
    return likely;
}

double divergence(const Likely& one, const Likely& other) {
    double least = 0;
    for (const auto& [token, log] : other) least = std::min(least, log);
    double sum = 0;
    for (const auto& [token, log] : one) {
        const auto found = other.find(token);
        sum += std::exp(log) * (log - (found == other.end() ? least : found->second));
    }
    const double rest = rest_of(one);
    sum += rest * std::log(rest / rest_of(other));
    return std::max(0.0, sum);
}

double mean_divergence(const Sayings& before, const Sayings& after) {
    auto all = divergences(before.near, after.near);
    std::ranges::copy(divergences(before.far, after.far), std::back_inserter(all));
    return mean(all);
}

std::string what_changed(const Sayings& before, const Sayings& after) {
    if (after.answers.size() < before.answers.size()) return "it does not answer all questions";
    std::size_t changed = 0;
    const Answered* example = nullptr;
    for (std::size_t at = 0; at < before.answers.size(); ++at) {
        const auto& one = before.answers[at];
        const auto& other = after.answers[at];
        if (one.calls != other.calls)
            return fmt::format("its tool call for {} is another one: {} in place of {}", one.id,
                               printable(other.calls.empty() ? "none" : other.calls, kShown),
                               printable(one.calls.empty() ? "none" : one.calls, kShown));
        if (one.right && !other.right)
            return fmt::format("its answer to {} is wrong, and was right: {}", one.id, printable(other.text, kShown));
        if (one.text == other.text) continue;
        ++changed;
        example = &other;
    }
    if (changed > kMostChanged)
        return fmt::format("{} of its {} answers at temperature 0 are worded otherwise, such as {}: {}", changed,
                           before.answers.size(), example->id, printable(example->text, kShown));
    if (auto why = drift(before.near, after.near, "in a short text"); !why.empty()) return why;
    return drift(before.far, after.far, "in a long text");
}

}  // namespace tandem::engine::tune
