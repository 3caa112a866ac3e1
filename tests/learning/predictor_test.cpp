// What the router learns from outcomes, and how it is judged.
#include "learning/predictor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "learning/evaluate.h"

namespace tandem::learning {
namespace {

// A world in which one kind of prompt is too hard for the weak model.
std::string hard(std::mt19937& random) {
    return fmt::format("Prove that the sum of {} odd primes is composite for each of {} cases", random() % 90,
                       random() % 9);
}
std::string easy(std::mt19937& random) {
    return fmt::format("Translate the word number {} into French, please, as in lesson {}", random() % 90,
                       random() % 9);
}

TEST(Predictor, learns_which_prompts_a_model_fails_at) {
    std::mt19937 random(3);
    Predictor predictor;
    const auto before = predictor.predict(traits_of(hard(random)));
    EXPECT_DOUBLE_EQ(before.mean, 0.5);
    for (int i = 0; i < 100; ++i) {
        predictor.learn(traits_of(hard(random)), 0);
        predictor.learn(traits_of(easy(random)), 1);
    }
    const auto on_hard = predictor.predict(traits_of(hard(random)));
    const auto on_easy = predictor.predict(traits_of(easy(random)));
    EXPECT_LT(on_hard.mean, 0.15);
    EXPECT_GT(on_easy.mean, 0.85);
    EXPECT_LT(on_easy.deviation, before.deviation / 2);
    // Something else is less sure.
    EXPECT_GT(predictor.predict(traits_of("def f(x): return {x: [y for y in x]}")).deviation, on_easy.deviation);
}

TEST(Predictor, a_prior_counts_like_a_few_outcomes) {
    std::mt19937 random(4);
    Predictor predictor(0.9, 4);
    EXPECT_DOUBLE_EQ(predictor.predict(traits_of("x")).mean, 0.9);
    for (int i = 0; i < 4; ++i) predictor.learn(traits_of(easy(random)), 0);
    const auto mean = predictor.predict(traits_of("something quite different")).mean;
    EXPECT_GT(mean, 0.3);
    EXPECT_LT(mean, 0.7);
}

TEST(Predictor, is_the_same_for_the_same_outcomes_and_forgets_the_oldest) {
    std::mt19937 random(5);
    Predictor one, two;
    for (int i = 0; i < 50; ++i) {
        const auto text = i % 2 == 0 ? hard(random) : easy(random);
        one.learn(traits_of(text), i % 2);
        two.learn(traits_of(text), i % 2);
    }
    EXPECT_EQ(one.score(traits_of("Prove that")), two.score(traits_of("Prove that")));
    Predictor full;
    const auto always = traits_of("yes");
    for (std::size_t i = 0; i < Predictor::kMostExamples / 8; ++i) full.learn(always, 1);
    const double sure = full.predict(always).mean;
    for (std::size_t i = 0; i < Predictor::kMostExamples / 4; ++i) full.learn(always, 0);
    EXPECT_LT(full.predict(always).mean, sure - 0.4);
}

TEST(Traits, hold_numbers_of_a_text_and_bound_what_they_read) {
    EXPECT_EQ(traits_of("a b c"), traits_of("a b c"));
    EXPECT_NE(traits_of("a b c"), traits_of("a c b"));
    const std::string huge(1 << 20, 'x');
    EXPECT_EQ(traits_of(huge), traits_of(huge + "y"));
    for (const auto& [index, value] : traits_of("12 drops at 3.5 % \xC3\xA4\xFF", "I cannot. 12 12 12")) {
        EXPECT_LT(index, kAllTraits);
        EXPECT_TRUE(std::isfinite(value));
    }
    EXPECT_TRUE(traits_of("").size() >= kCountedTraits);
}

TEST(Traits, of_an_answer_have_how_sure_it_was_where_that_is_known) {
    chat::Sureness sure;
    sure.tokens = 10;
    sure.logs = -0.5;
    auto unsure = sure;
    unsure.logs = -9;
    unsure.doubted = 6;
    unsure.least = -4;
    const auto plain = traits_of("a question", "an answer");
    EXPECT_EQ(traits_of("a question", "an answer", sure).size(), plain.size() + kSureTraits);
    Predictor predictor;
    for (int i = 0; i < 40; ++i) {
        predictor.learn(traits_of("a question", "an answer", sure), 1);
        predictor.learn(traits_of("a question", "an answer", unsure), 0);
    }
    EXPECT_GT(predictor.predict(traits_of("another one", "an answer", sure)).mean, 0.7);
    EXPECT_LT(predictor.predict(traits_of("another one", "an answer", unsure)).mean, 0.3);
}

TEST(Meaning, keeps_what_is_near_near) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    auto unit = [&](std::vector<float> v) {
        float square = 0;
        for (const auto x : v) square += x * x;
        for (auto& x : v) x /= std::sqrt(square);
        return v;
    };
    auto any = [&] {
        std::vector<float> v(768);
        for (auto& x : v) x = normal(random);
        return unit(v);
    };
    auto dot = [](const Meaning& a, const Meaning& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0F);
    };
    double worst = 0, near = 1;
    for (int i = 0; i < 200; ++i) {
        const auto one = any(), other = any();
        auto like = one;
        for (auto& x : like) x += 0.01F * normal(random);
        const auto m = meaning_of(one);
        EXPECT_EQ(m.size(), kMeaningTraits);
        worst = std::max<double>(worst, std::abs(dot(m, meaning_of(other))));
        near = std::min<double>(near, dot(m, meaning_of(unit(like))) /
                                          std::sqrt(dot(m, m) * dot(meaning_of(unit(like)), meaning_of(unit(like)))));
    }
    EXPECT_LT(worst, 0.6);
    EXPECT_GT(near, 0.9);
    Traits traits = traits_of("a question", "an answer");
    add_meaning(traits, meaning_of(any()));
    const auto back = traits_from_bytes(to_bytes(traits));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->size(), traits.size());
}

std::string table(int rows, bool learnable) {
    std::mt19937 random(6);
    std::string csv = "prompt,weak,strong,weak_response,other\n";
    for (int i = 0; i < rows; ++i) {
        const bool is_hard = random() % 2 == 0;
        const auto text = learnable ? (is_hard ? hard(random) : easy(random)) : easy(random);
        csv += fmt::format("\"{}\",{},true,\"line\none, {}\",x\n", text, is_hard ? "False" : "1",
                           is_hard ? "I cannot say \"\"yes\"\"" : "It is 12.");
    }
    return csv;
}

TEST(Evaluate, finds_what_can_be_learned_and_nothing_where_nothing_can) {
    EvaluateSettings settings;
    settings.train = 100;
    settings.repeats = 5;
    settings.cascade = true;
    const auto rows = read_answers(table(400, true));
    ASSERT_TRUE(rows) << rows.error().message;
    EXPECT_EQ((*rows)[0].weak_answer.substr(0, 9), "line\none,");
    const auto learned = evaluate(*rows, settings);
    ASSERT_TRUE(learned) << learned.error().message;
    auto apgr = [](const Evaluation& e, std::string_view name) {
        return std::ranges::find(e.routers, name, &Quality::router)->apgr.mean;
    };
    EXPECT_GT(apgr(*learned, "tandem"), 0.72);  // half of the prompts are hard: 0.75 is the best there is
    EXPECT_NEAR(apgr(*learned, "oracle"), 0.75, 0.02);
    EXPECT_NEAR(apgr(*learned, "random"), 0.5, 0.08);
    EXPECT_LT(learned->error.mean, 0.1);
    // The prompt tells nothing, the answer does.
    const auto blind = evaluate(*read_answers(table(400, false)), settings);
    ASSERT_TRUE(blind);
    EXPECT_NEAR(apgr(*blind, "tandem"), 0.5, 0.08);
    EXPECT_GT(apgr(*blind, "cascade"), 0.7);
    EXPECT_GT(blind->gain.low, 0);
    // The same seed gives the same.
    EXPECT_EQ(apgr(*evaluate(*rows, settings), "tandem"), apgr(*learned, "tandem"));
}

TEST(Evaluate, says_what_is_wrong_with_a_table_and_where) {
    for (const auto& [csv, message] : std::initializer_list<std::pair<std::string, std::string>>{
             {"", "line 1"},
             {"a,b,c\n", "line 1"},
             {"prompt,w,s\n\"x\ny\",true,true\nz,maybe,true\n", "line 4"},
             {"prompt,w,s\nx,true\n", "line 2: 2 fields"},
             {"prompt,w,s\n\"x,true,true\n", "line 2: a quote"},
             {"prompt,w,s\n\"x\"y,true,true\n", "closing quote"}}) {
        const auto rows = read_answers(csv);
        ASSERT_FALSE(rows) << csv;
        EXPECT_NE(rows.error().message.find(message), std::string::npos) << rows.error().message;
    }
    std::vector<Answered> same(200, {"x", true, true, ""});
    EXPECT_FALSE(evaluate(same, {.train = 100}));  // no gap
    EXPECT_FALSE(evaluate(same, {.train = 600}));  // too few
    for (std::size_t i = 0; i < 100; ++i) same[i].weak = false;
    EXPECT_TRUE(evaluate(same, {.train = 100, .repeats = 1}));
    EXPECT_FALSE(evaluate(same, {.train = 100, .cascade = true}));  // no answers
}

}  // namespace
}  // namespace tandem::learning
