// When answers count as the same, and when not.
#include "engine/tune/guard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "engine/tune/work.h"

namespace tandem::engine::tune {

namespace {

Likely likely(std::vector<double> probabilities) {
    Likely result;
    for (std::size_t i = 0; i < probabilities.size(); ++i)
        result[static_cast<std::int64_t>(i)] = std::log(probabilities[i]);
    return result;
}

Sayings sayings() {
    Sayings all;
    for (const char* id : {"a", "b", "c"}) all.answers.push_back({id, std::string("said ") + id, "", true});
    all.answers[1].calls = R"({"name":"weather","arguments":"{\"city\":\"Paris\"}"})";
    all.near = {likely({0.7, 0.2, 0.05}), likely({0.4, 0.4, 0.1})};
    all.far = all.near;
    return all;
}

}  // namespace

TEST(Guard, takesWhatSaysTheSame) {
    EXPECT_EQ(what_changed(sayings(), sayings()), "");
    EXPECT_DOUBLE_EQ(mean_divergence(sayings(), sayings()), 0);
    auto rounded = sayings();
    rounded.near[0] = likely({0.695, 0.203, 0.051});
    rounded.answers[0].text = "said otherwise";
    EXPECT_EQ(what_changed(sayings(), rounded), "") << "a rounding, by which one answer has other words";
}

TEST(Guard, refusesOtherAnswers) {
    auto after = sayings();
    after.answers[0].text = after.answers[2].text = "said otherwise";
    EXPECT_NE(what_changed(sayings(), after).find("2 of its 3 answers"), std::string::npos);
    after = sayings();
    after.answers[2].right = false;
    EXPECT_NE(what_changed(sayings(), after).find("is wrong, and was right"), std::string::npos);
    after = sayings();
    after.answers.pop_back();
    EXPECT_NE(what_changed(sayings(), after), "");
}

TEST(Guard, refusesAnotherToolCall) {
    for (const std::string calls : {"", R"({"name":"weather","arguments":"{\"city\":\"Rome\"}"})"}) {
        auto after = sayings();
        after.answers[1].calls = calls;
        EXPECT_NE(what_changed(sayings(), after).find("its tool call for b is another one"), std::string::npos);
    }
    auto after = sayings();
    after.answers[0].calls = after.answers[1].calls;
    EXPECT_NE(what_changed(sayings(), after).find("in place of none"), std::string::npos);
}

TEST(Guard, refusesOtherProbabilitiesNearAndFar) {
    auto after = sayings();
    after.near[0] = likely({0.3, 0.6, 0.05});
    EXPECT_NE(what_changed(sayings(), after).find("in a short text"), std::string::npos);
    after = sayings();
    after.far[1] = likely({0.1, 0.1, 0.7});
    EXPECT_NE(what_changed(sayings(), after).find("in a long text"), std::string::npos);
    after.far.clear();
    EXPECT_NE(what_changed(sayings(), after).find("no probabilities in a long text"), std::string::npos);
}

TEST(Divergence, isThatOfKullbackAndLeibler) {
    const auto one = likely({0.5, 0.3}), other = likely({0.4, 0.4});
    EXPECT_NEAR(divergence(one, other), 0.5 * std::log(0.5 / 0.4) + 0.3 * std::log(0.3 / 0.4), 1e-9);
    EXPECT_DOUBLE_EQ(divergence(one, one), 0);
    EXPECT_GT(divergence(likely({0.9}), Likely{{7, std::log(0.9)}, {8, std::log(0.05)}}), 1) << "quite another token";
    EXPECT_GE(divergence({}, {}), 0);
}

TEST(Likely, isReadFromAnAnswer) {
    const auto read = likely_of(
        R"({"completion_probabilities":[{"top_logprobs":[{"id":3,"logprob":-0.5},{"id":9,"logprob":-1e30},{"id":1,"logprob":2}]}]})");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->size(), 3U);
    EXPECT_DOUBLE_EQ(read->at(3), -0.5);
    EXPECT_DOUBLE_EQ(read->at(1), 0) << "no probability is above 1";
    EXPECT_GE(read->at(9), -100);
    for (const char* none : {"", "[]", "{}", R"({"completion_probabilities":[]})", "{\"completion_probabilities\":3}"})
        EXPECT_FALSE(likely_of(none)) << none;
}

TEST(Work, isAnotherTextInEachRequest) {
    EXPECT_EQ(prose(1, 500), prose(1, 500));
    EXPECT_NE(prose(1, 500), prose(2, 500));
    Tokens text(5000);
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<std::int64_t>(i);
    const std::vector<Tokens> endings = {{-1, -2}, {-3}};
    std::vector<std::string> all;
    for (int round = 0; round < 12; ++round)
        for (auto& body : requests(text, endings, {100, 20}, round, 4)) all.push_back(std::move(body));
    ASSERT_EQ(all.size(), 48U);
    EXPECT_EQ(requests(text, endings, {100, 20}, 3, 4)[1], all[13]) << "the same for all in a round";
    for (auto& body : all) {
        json::Document document;
        ASSERT_TRUE(document.parse(body));
        EXPECT_EQ(document.root()["prompt"].size(), 100U);
        EXPECT_EQ(document.root()["n_predict"].integer(), 20);
        EXPECT_EQ(document.root()["cache_prompt"].boolean(), false);
    }
    std::ranges::sort(all);
    EXPECT_EQ(std::ranges::unique(all).size(), 0U);
}

}  // namespace tandem::engine::tune
