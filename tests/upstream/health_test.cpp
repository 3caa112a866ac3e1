// What providers say of their limits, and which of them are left alone.
#include "upstream/health.h"

#include <gtest/gtest.h>

#include "tests/support.h"

namespace tandem::upstream {
namespace {

net::Fields fields(std::initializer_list<std::pair<const char*, const char*>> list) {
    net::Fields result;
    for (const auto& [name, value] : list) result.add(name, value);
    return result;
}

TEST(Limits, are_read_from_each_form_of_header) {
    const WallTime now{seconds(1'764'000'000)};  // 2025-11-24T16:00:00Z
    auto rest = [&](std::initializer_list<std::pair<const char*, const char*>> list) {
        return rest_wanted(fields(list), now);
    };
    EXPECT_EQ(rest({{"retry-after", "7"}}), seconds(7));
    EXPECT_EQ(rest({{"retry-after", "1.5"}}), milliseconds(1500));
    EXPECT_EQ(rest({{"retry-after", "Mon, 24 Nov 2025 16:00:30 GMT"}}), seconds(30));
    EXPECT_EQ(rest({{"retry-after-ms", "250"}}), milliseconds(250));
    EXPECT_EQ(rest({{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}}), seconds(360));
    EXPECT_EQ(rest({{"x-ratelimit-remaining-tokens", "0"}, {"x-ratelimit-reset-tokens", "250ms"}}), milliseconds(250));
    EXPECT_EQ(rest({{"x-ratelimit-remaining-tokens", "12"}, {"x-ratelimit-reset-tokens", "9s"}}), std::nullopt);
    EXPECT_EQ(rest({{"anthropic-ratelimit-requests-remaining", "0"},
                    {"anthropic-ratelimit-requests-reset", "2025-11-24T16:01:00Z"}}),
              seconds(60));
    EXPECT_EQ(rest({}), std::nullopt);
    for (const auto* nonsense : {"", "soon", "-5", "1e99", "5 apples", "nan", "Mon, 99 Nov 2025"})
        EXPECT_EQ(rest({{"retry-after", nonsense}}), std::nullopt) << nonsense;
}

TEST(Breaker, lets_one_request_try_after_the_pause) {
    test::ManualClock clock;
    Health health(clock);
    for (int i = 0; i < Health::kFailures; ++i) {
        EXPECT_TRUE(health.try_it("p"));
        health.failed("p", "refused");
    }
    EXPECT_NE(health.unhealthy("p"), "");
    EXPECT_FALSE(health.try_it("p"));
    clock.now += Health::kFirstPause;
    EXPECT_EQ(health.unhealthy("p"), "");
    {
        const auto trial = health.try_it("p");
        ASSERT_TRUE(trial);
        EXPECT_FALSE(health.try_it("p")) << "one at a time";
        EXPECT_NE(health.unhealthy("p").find("tried by another"), std::string::npos);
    }
    {
        const auto again = health.try_it("p");  // the first gave no verdict
        ASSERT_TRUE(again);
        health.failed("p", "refused");
    }
    EXPECT_EQ(health.status("p").seconds_left, 4) << "twice as long";
    clock.now += seconds(4);
    {
        const auto third = health.try_it("p");
        ASSERT_TRUE(third);
        health.succeeded("p");
    }
    EXPECT_TRUE(health.try_it("p"));
    EXPECT_TRUE(health.try_it("p"));
    EXPECT_EQ(health.status("p").state, "closed");
}

TEST(Breaker, is_not_held_by_those_in_a_hurry) {
    test::ManualClock clock;
    Health health(clock);
    for (int i = 0; i < Health::kFailures; ++i) health.failed("p", "refused");
    clock.now += Health::kFirstPause;
    const auto hurried = health.try_it("p", false, true);
    ASSERT_TRUE(hurried);
    EXPECT_FALSE(health.try_it("p", false, true)) << "one of them at a time";
    EXPECT_EQ(health.unhealthy("p"), "");
    const auto trial = health.try_it("p");
    ASSERT_TRUE(trial) << "a request with time may try it all the same";
    EXPECT_FALSE(health.try_it("p"));
    health.succeeded("p");
    EXPECT_EQ(health.status("p").state, "closed");
}

TEST(Breaker, lets_one_request_at_a_time_try_out_of_turn_where_it_is_the_last_resort) {
    test::ManualClock clock;
    Health health(clock);
    EXPECT_FALSE(health.may_be_tried("p")) << "it is well";
    for (int i = 0; i < Health::kFailures; ++i) health.failed("p", "refused");
    EXPECT_FALSE(health.try_it("p"));
    EXPECT_TRUE(health.may_be_tried("p"));
    {
        const auto trial = health.try_it("p", true);
        ASSERT_TRUE(trial);
        EXPECT_FALSE(health.may_be_tried("p"));
        EXPECT_FALSE(health.try_it("p", true));
        health.failed("p", "refused");
    }
    EXPECT_EQ(health.status("p").seconds_left, 2) << "others wait no longer for it";
    {
        const auto trial = health.try_it("p", true);
        ASSERT_TRUE(trial);
        health.succeeded("p");
    }
    EXPECT_EQ(health.status("p").state, "closed");
    // A key that its provider wants to rest is not tried.
    for (int i = 0; i < Health::kFailures; ++i) health.failed("p", "refused");
    health.rest("p", 0, seconds(10));
    EXPECT_FALSE(health.may_be_tried("p"));
}

TEST(Breaker, opens_for_one_that_fails_too_often_though_never_in_a_row) {
    test::ManualClock clock;
    Health health(clock);
    int attempts = 0;
    for (; attempts < 100 && health.unhealthy("p").empty(); ++attempts)
        attempts % 4 == 3   ? health.succeeded("p")
        : attempts % 4 == 1 ? health.succeeded("p")
                            : health.failed("p", "500");
    EXPECT_EQ(attempts, 100) << "half is not more than half";
    for (attempts = 0; attempts < 100 && health.unhealthy("p").empty(); ++attempts)
        attempts % 3 == 2 ? health.succeeded("p") : health.failed("p", "500");
    EXPECT_LT(attempts, 40);
    EXPECT_NE(health.unhealthy("p").find("% of the time"), std::string::npos);
}

TEST(Keys, take_turns_and_rest_alone) {
    test::ManualClock clock;
    Health health(clock);
    EXPECT_NE(health.key_of("p", 2), health.key_of("p", 2));
    health.rest("p", 0, seconds(10));
    EXPECT_EQ(health.key_of("p", 2), 1U);
    EXPECT_EQ(health.key_of("p", 2), 1U);
    EXPECT_TRUE(health.has_key("p"));
    EXPECT_EQ(health.unhealthy("p"), "");
    health.rest("p", 1, seconds(20));
    EXPECT_FALSE(health.has_key("p"));
    EXPECT_NE(health.unhealthy("p").find("10 s, with any of its keys"), std::string::npos);
    EXPECT_EQ(health.key_of("p", 2), 0U) << "the one that will be free first";
    clock.now += seconds(10);
    EXPECT_EQ(health.unhealthy("p"), "");
    health.rest("q", 0, std::chrono::hours(100));
    EXPECT_EQ(health.status("q").seconds_left, 900) << "bounded, whatever it says";
}

}  // namespace
}  // namespace tandem::upstream
