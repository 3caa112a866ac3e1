// What is odd about one kind of provider, each by its name.
#include <gtest/gtest.h>

#include "provider/kind.h"

namespace tandem::provider {
namespace {

Said said(std::string_view kind, std::string_view body) {
    json::Document document;
    EXPECT_TRUE(document.parse(body)) << body;
    return named(kind).read_error(document.root());
}

std::pair<long long, long long> numbers(const Said& said) {
    EXPECT_TRUE(said.too_long);
    return {said.prompt_tokens, said.context_tokens};
}

TEST(Providers, openai_says_the_limit_before_the_prompt) {
    EXPECT_EQ(
        numbers(said(
            "openai",
            R"({"error":{"message":"This model's maximum context length is 4,096 tokens. However, your messages resulted in 5000 tokens.","code":"context_length_exceeded"}})")),
        std::pair(5000LL, 4096LL));
    EXPECT_FALSE(said("openai", R"({"error":{"message":"max_tokens is too large: 5000 > 4096"}})").too_long);
}

TEST(Providers, vllm_has_no_code_for_a_prompt_that_is_too_long) {
    EXPECT_EQ(
        numbers(said(
            "openai",
            R"({"object":"error","message":"This model's maximum context length is 2048 tokens. However, you requested 3000 tokens","code":400})")),
        std::pair(3000LL, 2048LL));
}

TEST(Providers, llama_server_gives_both_numbers_beside_its_message) {
    for (const auto kind : {"llama-server", "engine", "openai"})
        EXPECT_EQ(
            numbers(said(
                kind,
                R"({"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_prompt_tokens":9000,"n_ctx":8192}})")),
            std::pair(9000LL, 8192LL));
}

TEST(Providers, anthropic_says_the_prompt_before_the_limit_and_has_no_type_for_it) {
    EXPECT_EQ(
        numbers(said(
            "anthropic",
            R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}})")),
        std::pair(210000LL, 200000LL));
}

TEST(Providers, gemini_says_when_to_come_back_in_the_body) {
    const auto later = said(
        "gemini",
        R"({"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17.5s"}]}})");
    EXPECT_EQ(later.retry_after, seconds(18));
    // A stream that was asked for answers with a list of one error.
    EXPECT_EQ(
        numbers(said(
            "gemini",
            R"x([{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}])x")),
        std::pair(1200000LL, 1048576LL));
}

TEST(Providers, ollama_says_an_error_as_a_string) {
    EXPECT_EQ(said("ollama", R"({"error":"model 'x' not found"})").message, "model 'x' not found");
    EXPECT_EQ(
        numbers(said("ollama",
                     R"x({"error":"the request (9000 tokens) exceeds the available context size (4096 tokens)"})x")),
        std::pair(9000LL, 4096LL));
}

TEST(Providers, each_takes_its_key_where_it_wants_it) {
    const Secret key("sk-0123456789");
    auto headers = [&](std::string_view kind) {
        net::Fields fields;
        named(kind).authorize(fields, key);
        return std::string(fields.lines());
    };
    EXPECT_EQ(headers("responses"), "Authorization: Bearer sk-0123456789\r\n");
    EXPECT_EQ(headers("anthropic"), "x-api-key: sk-0123456789\r\nanthropic-version: 2023-06-01\r\n");
    EXPECT_EQ(headers("gemini"), "x-goog-api-key: sk-0123456789\r\n");
}

}  // namespace
}  // namespace tandem::provider
