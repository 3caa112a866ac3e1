// What was learned of models from outcomes, and how it is kept.
#include "learning/learner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

namespace tandem::learning {
namespace {

Outcome outcome(const std::string& decision, const std::string& model, const std::string& prompt, double value,
                const std::string& identity = "one") {
    return {decision, model, identity, "feedback", "k", value, 1, traits_of(prompt)};
}

TEST(Learner, replaces_what_the_same_one_says_again) {
    Learner learner;
    learner.configure({{"m", "one"}});
    learner.learn({outcome("d", "m", "a question", 0)});
    const auto bad = learner.outlook(traits_of("a question")).at(0).quality;
    learner.learn({outcome("d", "m", "a question", 1)});
    EXPECT_EQ(learner.summary().at(0).outcomes, 1U);
    EXPECT_LT(bad, 0.5);
    EXPECT_GT(learner.outlook(traits_of("a question")).at(0).quality, 0.5);
    learner.forget("m");
    EXPECT_TRUE(learner.outlook(traits_of("a question")).empty());
}

TEST(Learner, knows_how_long_answers_are_by_kind_of_work) {
    Learner learner;
    learner.configure({{"light", "one"}, {"strong", "one"}});
    for (int i = 0; i < 30; ++i) {
        learner.measured("light", routing::WorkKind::talk, 1, 20);
        learner.measured("strong", routing::WorkKind::code, 20, 1500);
    }
    const auto of = [&](const std::string& model, routing::WorkKind kind) {
        const auto list = learner.outlook(Traits(), {}, kind);
        const auto found = std::ranges::find(list, model, &routing::Outlook::model);
        return found == list.end() ? 0 : found->answer_tokens;
    };
    // That it has said little in small talk says nothing of its code.
    EXPECT_EQ(of("light", routing::WorkKind::talk), 20);
    EXPECT_EQ(of("light", routing::WorkKind::code), 0);
    EXPECT_EQ(learner.usual(routing::WorkKind::code).answer_tokens, 1500);
    EXPECT_EQ(learner.usual(routing::WorkKind::document).answer_tokens, 0);
    // Few answers of its own lean to what is usual.
    learner.measured("light", routing::WorkKind::code, 2, 100);
    EXPECT_GT(of("light", routing::WorkKind::code), 500);
    for (int i = 0; i < 40; ++i) learner.measured("light", routing::WorkKind::code, 2, 100);
    EXPECT_LT(of("light", routing::WorkKind::code), 250);
}

TEST(Learner, trusts_less_what_it_learned_of_a_model_that_has_changed) {
    Learner learner;
    learner.configure({{"m", "one"}});
    std::vector<Outcome> outcomes;
    for (int i = 0; i < 40; ++i) outcomes.push_back(outcome(fmt::format("d{}", i), "m", fmt::format("sum {}", i), 0));
    learner.learn(std::move(outcomes));
    const auto before = learner.outlook(traits_of("sum 7")).at(0);
    learner.configure({{"m", "two"}});
    const auto after = learner.outlook(traits_of("sum 7")).at(0);
    EXPECT_GT(after.quality, before.quality);
    EXPECT_NEAR(after.outcomes, before.outcomes * Learner::kOtherIdentity, 1e-3);
    // And learns the new one quickly.
    for (int i = 0; i < 30; ++i)
        learner.learn({outcome(fmt::format("n{}", i), "m", fmt::format("sum {}", i), 1, "two")});
    EXPECT_GT(learner.outlook(traits_of("sum 7")).at(0).quality, 0.6);
}

// Both are near the one optimum: one came there an outcome at a time, the other at once.
TEST(Learner, gives_the_same_after_a_restart) {
    std::vector<Outcome> all;
    std::mt19937 random(9);
    Learner live, loaded;
    for (auto* learner : {&live, &loaded}) learner->configure({{"m", "one", 0.7}});
    for (int i = 0; i < 300; ++i) {
        const bool hard = random() % 2 == 0;
        auto one = outcome(fmt::format("d{}", i), "m", fmt::format("{} number {}", hard ? "prove" : "translate", i),
                           hard ? 0 : 1);
        one.traits = traits_from_bytes(to_bytes(one.traits)).value();
        all.push_back(one);
        live.learn({one});
    }
    loaded.learn(std::move(all));
    for (const auto* prompt : {"prove number 3", "translate number 4", "something else"})
        EXPECT_NEAR(live.outlook(traits_of(prompt)).at(0).quality, loaded.outlook(traits_of(prompt)).at(0).quality,
                    0.08)
            << prompt;
}

TEST(Learner, may_be_asked_while_it_learns) {
    Learner learner;
    learner.configure({{"m", "one"}});
    std::thread asks([&] {
        for (int i = 0; i < 2000; ++i) {
            (void)learner.outlook(traits_of("sum"));
            learner.measured("m", routing::WorkKind::talk, 1, 10);
        }
    });
    for (int i = 0; i < 200; ++i) learner.learn({outcome(fmt::format("d{}", i), "m", "sum", 1)});
    asks.join();
    EXPECT_EQ(learner.summary().at(0).outcomes, 200U);
}

// What is learned is a correction to what is expected: of light work that goes well, nothing follows for hard work.
TEST(Learner, corrects_what_is_expected_of_each_prompt) {
    Learner learner;
    learner.configure({{"m", "one"}});
    for (int i = 0; i < 60; ++i) {
        auto light = outcome(fmt::format("d{}", i), "m", fmt::format("translate text {}", i), 1);
        light.expected = 0.9;
        learner.learn({std::move(light)});
    }
    EXPECT_LT(learner.outlook("a proof of it", {}, {{"m", 0.1}}).at(0).quality, 0.3);
    EXPECT_GT(learner.outlook("translate text 7", {}, {{"m", 0.9}}).at(0).quality, 0.9);
    // And where hard work goes well again and again, the expectation is outweighed.
    for (int i = 0; i < 60; ++i) {
        auto hard = outcome(fmt::format("h{}", i), "m", fmt::format("prove lemma {}", i), 1);
        hard.expected = 0.1;
        learner.learn({std::move(hard)});
    }
    EXPECT_GT(learner.outlook("prove lemma 7", {}, {{"m", 0.1}}).at(0).quality, 0.7);
}

TEST(TraitBytes, refuse_what_is_none) {
    const auto traits = traits_of("some words, and 12 numbers");
    const auto back = traits_from_bytes(to_bytes(traits));
    ASSERT_TRUE(back);
    ASSERT_EQ(back->size(), traits.size());
    for (std::size_t i = 0; i < traits.size(); ++i) {
        EXPECT_EQ((*back)[i].first, traits[i].first);
        EXPECT_NEAR((*back)[i].second, traits[i].second, 1.0 / 4096);
    }
    EXPECT_FALSE(traits_from_bytes("abc"));
    EXPECT_FALSE(traits_from_bytes("\xFF\xFF\x01\x01"));
    EXPECT_FALSE(traits_from_bytes(std::string("\x05\x00\x01\x01\x05\x00\x01\x01", 8)));
}

}  // namespace
}  // namespace tandem::learning
