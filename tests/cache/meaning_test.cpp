#include "cache/meaning.h"

#include <gtest/gtest.h>

namespace tandem::cache {
namespace {

TEST(Facts, tell_apart_what_embeddings_do_not) {
    EXPECT_EQ(facts_of("How far is a mile?"), facts_of("What is the length of a mile?"));
    const char* const different[][2] = {
        {"Convert 5 miles to km", "Convert 6 miles to km"},
        {"Is it safe to eat?", "Is it not safe to eat?"},
        {"Where was Ada born? I mean Ada Lovelace.", "Where was Ada born? I mean Ada Byron."},
        {"Who wrote \"Emma\"?", "Who wrote \"Persuasion\"?"},
        {"What is 3 + 4?", "What is 3 - 4?"},
        {"from Bern to Rome, please", "from Rome to Bern, please"},
        {"is it 1.5 or 15?", "is it 15 or 1.5?"}};
    for (const auto& [one, other] : different) EXPECT_NE(facts_of(one), facts_of(other)) << one;
}

TEST(Nearness, is_the_cosine) {
    EXPECT_NEAR(nearness({1, 0}, {1, 0}), 1, 1e-6);
    EXPECT_NEAR(nearness({1, 0}, {0, 1}), 0, 1e-6);
    EXPECT_NEAR(nearness({0.6F, 0.8F}, {0.8F, 0.6F}), 0.96, 1e-6);
    EXPECT_EQ(nearness({1}, {1, 0}), -1);
}

TEST(Rest, is_all_but_the_last_turn) {
    chat::Request request;
    request.model = "m";
    auto say = [&](chat::Role role, const char* text) {
        request.messages.push_back({role, {{chat::TextPart{text}, {}}}, {}, {}});
    };
    say(chat::Role::user, "How far is a mile?");
    const auto one = rest_of(request);
    EXPECT_FALSE(one.empty());
    request.messages.clear();
    say(chat::Role::user, "What is the length of a mile?");
    EXPECT_EQ(rest_of(request), one);
    request.max_output_tokens = 5;
    EXPECT_NE(rest_of(request), one);
    say(chat::Role::assistant, "1,609 m");
    EXPECT_TRUE(rest_of(request).empty());
    request.messages.push_back({chat::Role::user, {{chat::ImagePart{}, {}}}, {}, {}});
    EXPECT_TRUE(rest_of(request).empty()) << "nobody knows what is on it";
}

}  // namespace
}  // namespace tandem::cache
