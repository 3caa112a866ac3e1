// What is odd about one kind of provider, each by its name.
#include "upstream/manner.h"

#include <gtest/gtest.h>

#include "tests/support.h"
#include "upstream/health.h"

namespace tandem::upstream {
namespace {

Said said(config::ProviderKind kind, std::string_view body) {
    json::Document document;
    EXPECT_TRUE(document.parse(body)) << body;
    return manner_of(kind).read_error(document.root());
}

std::pair<long long, long long> numbers(const Said& said) {
    EXPECT_TRUE(said.too_long);
    return {said.prompt_tokens, said.context_tokens};
}

using config::ProviderKind;

TEST(Providers, openai_says_the_limit_before_the_prompt) {
    EXPECT_EQ(
        numbers(said(
            ProviderKind::openai,
            R"({"error":{"message":"This model's maximum context length is 4,096 tokens. However, your messages resulted in 5000 tokens.","code":"context_length_exceeded"}})")),
        std::pair(5000LL, 4096LL));
    EXPECT_FALSE(
        said(ProviderKind::openai, R"({"error":{"message":"max_tokens is too large: 5000 > 4096"}})").too_long);
}

TEST(Providers, vllm_has_no_code_for_a_prompt_that_is_too_long) {
    EXPECT_EQ(
        numbers(said(
            ProviderKind::openai,
            R"({"object":"error","message":"This model's maximum context length is 2048 tokens. However, you requested 3000 tokens","code":400})")),
        std::pair(3000LL, 2048LL));
}

TEST(Providers, llama_server_gives_both_numbers_beside_its_message) {
    for (const auto kind : {ProviderKind::llama_server, ProviderKind::engine, ProviderKind::openai})
        EXPECT_EQ(
            numbers(said(
                kind,
                R"({"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":8192}})")),
            std::pair(9000LL, 8192LL));
}

TEST(Providers, anthropic_says_the_prompt_before_the_limit_and_has_no_type_for_it) {
    EXPECT_EQ(
        numbers(said(
            ProviderKind::anthropic,
            R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})")),
        std::pair(210000LL, 200000LL));
}

TEST(Providers, gemini_says_when_to_come_back_in_the_body) {
    const auto later = said(
        ProviderKind::gemini,
        R"({"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17.5s"}]}})");
    EXPECT_EQ(later.retry_after, seconds(18));
    // A stream that was asked for answers with a list of one error.
    EXPECT_EQ(
        numbers(said(
            ProviderKind::gemini,
            R"x([{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}])x")),
        std::pair(1200000LL, 1048576LL));
}

TEST(Providers, ollama_says_an_error_as_a_string) {
    EXPECT_EQ(said(ProviderKind::ollama, R"({"error":"model 'x' not found"})").message, "model 'x' not found");
    EXPECT_EQ(
        numbers(said(ProviderKind::ollama,
                     R"x({"error":"the request (9000 tokens) exceeds the available context size (4096 tokens)"})x")),
        std::pair(9000LL, 4096LL));
}

TEST(Providers, each_takes_its_key_where_it_wants_it) {
    const Secret key("sk-0123456789");
    auto headers = [&](ProviderKind kind) {
        net::Fields fields;
        manner_of(kind).authorize(fields, key);
        return std::string(fields.lines());
    };
    EXPECT_EQ(headers(ProviderKind::responses), "Authorization: Bearer sk-0123456789\r\n");
    EXPECT_EQ(headers(ProviderKind::anthropic), "x-api-key: sk-0123456789\r\nanthropic-version: 2023-06-01\r\n");
    EXPECT_EQ(headers(ProviderKind::gemini), "x-goog-api-key: sk-0123456789\r\n");
}

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
