#include "cli/compared.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "probe/suite.h"

namespace tandem::cli {

namespace {

constexpr std::string_view kAt = "at ", kTokens = " tokens";
constexpr double kDeepest = 5;  // of the suite reasoning

Score score_of(const json::Value& finding) {
    return {finding["value"].number().value_or(0), finding["low"].number().value_or(0),
            finding["high"].number().value_or(1), finding["asked"].integer().value_or(0)};
}

void take_context(std::string_view name, const json::Value& finding, Compared& one) {
    if (name == "usable") {
        one.usable = finding["value"].integer();
        one.usable_low = finding["low"].integer().value_or(0);
        one.usable_high = finding["high"].integer().value_or(0);
    } else if (name.starts_with(kAt) && name.ends_with(kTokens)) {
        const auto tokens = whole_number(name.substr(kAt.size(), name.size() - kAt.size() - kTokens.size()));
        if (tokens) one.curve[*tokens] = score_of(finding);
    }
}

void take_speed(std::string_view name, const json::Value& finding, Compared& one) {
    if (name == "writing") one.writing = finding["value"].number();
    if (name == "reading") one.reading = finding["value"].number();
    if (name.starts_with("first token") && !one.first_token) one.first_token = finding["value"].integer();
}

void take(const json::Value& finding, Compared& one) {
    const auto suite = finding["suite"].text(), name = finding["name"].text();
    if (suite == "context") take_context(name, finding, one);
    if (suite == "speed") take_speed(name, finding, one);
    if (suite == "compatibility") one.features[std::string(name)] = finding["word"].text();
    if (suite == "reasoning" && name == "depth") {
        one.depth = finding["value"].integer();
        const auto depth = static_cast<double>(one.depth.value_or(0)) / kDeepest;
        one.scores["reasoning"] = {depth, depth, depth, finding["asked"].integer().value_or(0)};
    }
    // The score of reasoning is its depth.
    if (name == "score" && suite != "reasoning" && std::ranges::find(kScoredSuites, suite) != kScoredSuites.end())
        one.scores[std::string(suite)] = score_of(finding);
}

}  // namespace

bool is_amiss(std::string_view word) {
    return !word.starts_with("honours") && !word.starts_with("unknown");
}

std::string Compared::breaks() const {
    std::map<std::string, int> counts;
    for (const auto& [feature, word] : features)
        if (is_amiss(word)) ++counts[word.substr(0, word.find(':'))];
    std::string out;
    for (const auto& [verdict, count] : counts) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", verdict, count);
    return out;
}

Compared compared_of(const json::Value& model) {
    Compared one;
    one.model = model["model"].text();
    one.claimed = model["claimed_context"].integer().value_or(0);
    std::vector<std::string> there;
    for (const json::Value finding : model["findings"].children()) {
        if (finding["current"].boolean() != true) {
            one.stale = true;
            continue;
        }
        there.emplace_back(finding["suite"].text());
        take(finding, one);
    }
    for (const auto& row : probe::suites())
        if (row.name != "basics" && std::ranges::find(there, row.name) == there.end())
            one.missing.emplace_back(row.name);
    return one;
}

std::vector<std::string> common_scores(const std::vector<Compared>& all) {
    std::vector<std::string> common;
    for (const auto& [suite, score] : all.front().scores)
        if (std::ranges::all_of(all, [&](const Compared& one) { return one.scores.contains(suite); }))
            common.push_back(suite);
    return common;
}

std::optional<double> quality_of(const Compared& one, const std::vector<std::string>& common) {
    if (common.empty()) return std::nullopt;
    double sum = 0;
    for (const auto& suite : common) sum += one.scores.at(suite).value;
    return sum / static_cast<double>(common.size());
}

const Compared* choice_of(const std::vector<Compared>& all) {
    const auto common = common_scores(all);
    if (all.size() < 2 || common.empty() ||
        std::ranges::any_of(all, [](const Compared& one) { return !one.writing.has_value(); }))
        return nullptr;
    const auto& best =
        *std::ranges::max_element(all, {}, [&](const Compared& one) { return *quality_of(one, common); });
    const Compared* choice = nullptr;
    for (const auto& one : all) {
        const bool worse = std::ranges::any_of(
            common, [&](const std::string& suite) { return one.scores.at(suite).high < best.scores.at(suite).low; });
        if (!worse && (choice == nullptr || *one.writing > *choice->writing)) choice = &one;
    }
    return choice;
}

std::string choice_text(const Compared& choice) {
    return fmt::format(
        "take {}: no suite that all have tells it from the best, and of those it writes fastest ({:.1f} tokens/s)",
        choice.model, *choice.writing);
}

}  // namespace tandem::cli
