// What a decision is worth, what was learned, and what is tried.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "routing/routing.h"
#include "tests/routing/table.h"

namespace tandem::routing {
namespace {

Table table_with(const std::string& policy) {
    return table_from_yaml(
        "providers:\n  home: { kind: openai, zone: local, base_url: 'http://h/v1' }\n  far: { kind: openai, zone: "
        "cloud, "
        "base_url: 'https://x/v1' }\n"
        "models:\n  small: { provider: home, context: 4096, quality: 0.5 }\n  big: { provider: far, context: 100000, "
        "quality: 0.9, price: { input: 1, cached_input: 0.1, output: 10 } }\n"
        "  cheap: { provider: far, context: 100000, quality: 0.8, price: { input: 0.1, output: 1 } }\n" +
        policy);
}

Inputs of_size(std::int64_t tokens) {
    Inputs in;
    in.alias = "auto";
    in.features.prompt_tokens = tokens;
    in.features.answer_tokens = 100;
    in.features.work.kind = WorkKind::facts;
    in.features.work.difficulty = kOrdinaryDifficulty;  // where the owner's `quality` is what is expected
    return in;
}

TEST(Utility, is_the_sum_of_its_terms) {
    const auto table = table_with(
        "policy: { objective: { answer_value: 0.1, second: 0.001 }, rules: [ { name: all, prefer: best } ] }");
    auto in = of_size(1000);
    in.outlook = {{.model = "big", .quality = 0.95, .doubt = 0.1, .outcomes = 20, .seconds = 4}};
    const auto decision = decide(table, in);
    ASSERT_TRUE(decision);
    for (const auto& c : decision->candidates)
        EXPECT_NEAR(c.terms.utility, c.terms.worth + c.terms.lean - c.terms.cost - c.terms.wait - c.terms.leaving,
                    2e-6);
    const auto& big = *std::ranges::find(decision->candidates, "big", &Candidate::model);
    EXPECT_NEAR(big.terms.worth, 0.095, 1e-9);
    EXPECT_NEAR(big.terms.cost, 0.002, 1e-9);  // 1,000 tokens at 1, 100 at 10 a million
    EXPECT_NEAR(big.terms.wait, 0.004, 1e-9);
    EXPECT_EQ(decision->candidates.front().model, "big");
    // Its engine has to make room first: at what a second costs, that is too long.
    in.standing = {{.model = "big", .unhealthy = {}, .over_budget = {}, .wait_seconds = 600}};
    const auto busy = decide(table, in);
    ASSERT_TRUE(busy);
    EXPECT_NEAR(std::ranges::find(busy->candidates, "big", &Candidate::model)->terms.wait, 0.604, 1e-9);
    EXPECT_NE(busy->candidates.front().model, "big");
    in.standing.clear();
    // Where little depends on it, the cheap one is enough; where much does, doubt counts.
    in.stakes = config::Stakes::low;
    EXPECT_EQ(decide(table, in)->candidates.front().model, "cheap");
    in.stakes = config::Stakes::high;
    const auto high = decide(table, in);
    EXPECT_NEAR(std::ranges::find(high->candidates, "big", &Candidate::model)->terms.quality, 0.85, 1e-9);
}

TEST(Utility, takes_a_model_whose_price_nobody_knows_for_the_dearest) {
    auto table = table_from_yaml(
        "providers:\n  far: { kind: openai, zone: cloud, base_url: 'https://x/v1' }\n"
        "models:\n  mystery: { provider: far, context: 100000, quality: 0.8 }\n"
        "  cheap: { provider: far, context: 100000, quality: 0.8, price: { input: 0.1, output: 1 } }\n"
        "  dear: { provider: far, context: 100000, quality: 0.8, price: { input: 1, output: 10 } }\n"
        "policy: { objective: { answer_value: 0.1 }, rules: [ { name: all, prefer: best } ] }");
    std::ranges::find(table.models, "mystery", &Table::Entry::model)->price = prices::Tariff::unknown("nobody says it");
    const auto decision = decide(table, of_size(1000));
    EXPECT_EQ(decision->candidates.front().model, "cheap");
    const auto cost = [&](const char* model) {
        return std::ranges::find(decision->candidates, model, &Candidate::model)->terms.cost;
    };
    EXPECT_GT(cost("mystery"), 0);
    EXPECT_EQ(cost("mystery"), cost("dear"));
}

TEST(Utility, expects_as_long_an_answer_of_a_model_without_history_as_of_one_with_history) {
    const auto table =
        table_with("policy: { objective: { answer_value: 0.01 }, rules: [ { name: all, prefer: best } ] }");
    auto in = of_size(1000);
    in.features.work.kind = WorkKind::code;
    in.features.answer_tokens = 32'000;  // a bound, as some clients set it for whatever they ask
    const auto tokens = [&](const char* model) {
        const auto decision = decide(table, in);
        return std::ranges::find(decision->candidates, model, &Candidate::model)->terms.answer_tokens;
    };
    // Of none anything is known.
    EXPECT_EQ(tokens("big"), usual_answer_tokens(WorkKind::code));
    EXPECT_EQ(tokens("cheap"), tokens("big"));
    // Of one it is, and what such work takes on the whole is.
    in.usual = {4, 400};
    in.outlook = {{.model = "big", .seconds = 5, .answer_tokens = 450}};
    EXPECT_EQ(tokens("big"), 450);
    EXPECT_EQ(tokens("cheap"), 400);
    const auto decision = decide(table, in);
    EXPECT_EQ(decision->candidates.front().model, "cheap");
    // What is reserved for it stays the most that it may use.
    EXPECT_EQ(decision->candidates.front().estimate, worst_cost(*table.find("cheap"), in.features));
    EXPECT_GT(decision->candidates.front().estimate.micros(), 30'000);
    in.features.answer_tokens = 50;
    EXPECT_EQ(tokens("big"), 50);
}

TEST(Utility, takes_no_model_for_faster_than_those_that_have_answered) {
    const auto table = table_with("policy: { objective: { second: 0.01 }, rules: [ { name: all, prefer: best } ] }");
    auto in = of_size(100);
    in.usual = {4, 100};
    in.outlook = {{.model = "big", .seconds = 5, .answer_tokens = 100}};
    const auto decision = decide(table, in);
    for (const auto& c : decision->candidates) EXPECT_NEAR(c.terms.wait, c.model == "big" ? 0.05 : 0.04, 1e-9);
}

TEST(Utility, counts_what_a_provider_has_in_its_cache_and_what_leaving_it_costs) {
    const auto table =
        table_with("policy: { objective: { answer_value: 0.1 }, rules: [ { name: all, prefer: best } ] }");
    auto in = of_size(90'000);
    EXPECT_EQ(decide(table, in)->candidates.front().model, "cheap");
    in.outlook = {{.model = "big", .warm_tokens = 90'000}};
    EXPECT_NEAR(std::ranges::find(decide(table, in)->candidates, "big", &Candidate::model)->terms.cost, 0.01, 1e-9);
    EXPECT_EQ(decide(table, in)->candidates.front().model, "big");
    in.outlook = {{.model = "big", .holds_state = true}};
    const auto decision = decide(table, in);
    for (const auto& c : decision->candidates) EXPECT_EQ(c.terms.leaving > 0, c.model != "big") << c.model;
}

TEST(Utility, leaves_an_agents_session_with_the_model_that_its_first_turn_went_to) {
    const auto table = table_with(
        "policy: { objective: { answer_value: 1 }, rules: [ { name: all, prefer: local, zone_bias: 0.25 } ] }");
    auto in = of_size(1000);
    in.features.work.difficulty = 0;  // a turn that would be light by itself
    EXPECT_EQ(decide(table, in)->candidates.front().model, "small");
    in.outlook = {{.model = "big", .warm_tokens = 900, .holds_session = true}};
    EXPECT_EQ(decide(table, in)->candidates.front().model, "big");
    // Not beyond what it may see, and not beyond its health.
    in.label = Label::private_;
    EXPECT_EQ(decide(table, in)->candidates.front().model, "small");
    in.label = Label::public_;
    in.standing = {{"big", "it is down", ""}};
    EXPECT_EQ(decide(table, in)->candidates.front().model, "small");
}

TEST(Utility, puts_what_is_below_the_floor_last) {
    const auto table = table_with(
        "policy: { objective: { answer_value: 0.001, floor: 0.7 }, rules: [ { name: all, prefer: local, zone_bias: 0.5 "
        "} ] }");
    const auto decision = decide(table, of_size(1000));
    EXPECT_EQ(decision->candidates.back().model, "small");
    EXPECT_TRUE(decision->candidates.back().terms.below_floor);
    EXPECT_EQ(decision->eligible, 3U);
}

TEST(Lean, of_one_is_the_owners_last_word_and_of_less_is_not) {
    auto in = of_size(100);
    in.outlook = {{.model = "small", .quality = 0.05, .doubt = 0.02, .outcomes = 500},
                  {.model = "cheap", .quality = 0.99, .doubt = 0.02, .outcomes = 500}};
    EXPECT_EQ(decide(table_with("policy: { rules: [ { name: all, prefer: local } ] }"), in)->candidates.front().model,
              "small");
    EXPECT_EQ(decide(table_with("policy: { rules: [ { name: all, prefer: local, zone_bias: 0.2 } ] }"), in)
                  ->candidates.front()
                  .model,
              "cheap");
    EXPECT_EQ(decide(table_with("policy: { preset: local-first }"), in)->candidates.front().model, "small");
}

TEST(Exploration, has_the_propensities_that_it_records) {
    const auto table = table_with("policy: { objective: { explore: 0.2 }, rules: [ { name: all, prefer: best } ] }");
    std::mt19937 random(5);
    std::map<std::string, int> first;
    std::map<std::string, double> said;
    constexpr int kTimes = 20'000;
    for (int i = 0; i < kTimes; ++i) {
        auto in = of_size(100);
        in.dice = std::uniform_real_distribution<double>(0, 1)(random);
        const auto decision = decide(table, in);
        ++first[decision->candidates.front().model];
        for (const auto& c : decision->candidates) said[c.model] = c.propensity;
        EXPECT_EQ(decision->explored, in.dice < 0.2);
    }
    for (const auto& [model, propensity] : said) EXPECT_NEAR(first[model] / double{kTimes}, propensity, 0.01) << model;
    EXPECT_NEAR(said["big"], 0.8, 1e-9);
}

}  // namespace
}  // namespace tandem::routing
