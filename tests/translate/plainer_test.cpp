#include "translate/plainer.h"

#include <gtest/gtest.h>

#include "dialect/openai_chat.h"

namespace tandem::translate {
namespace {

config::Provider at(std::string url) {
    config::Provider provider;
    provider.base_url = std::move(url);
    return provider;
}

chat::Request request_of(std::string_view members) {
    json::Document document;
    EXPECT_TRUE(document.parse(R"({"model": "m", )" + std::string(members) + "}"));
    auto request = dialect::openai_chat::decode_request(document);
    EXPECT_TRUE(request) << request.error().message;
    return request ? std::move(*request) : chat::Request{};
}

const auto kInterrupted = R"("messages":[{"role":"user","content":"a"},
    {"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},
    {"role":"user","content":"b"}])";

TEST(Plainer, who_made_a_dialect_is_known_by_the_address) {
    using enum dialect::Kind;
    EXPECT_TRUE(made_the_dialect(at("https://api.openai.com/v1"), openai_chat));
    EXPECT_TRUE(made_the_dialect(at("https://my.openai.azure.com/openai/v1"), openai_responses));
    EXPECT_TRUE(made_the_dialect(at("https://api.anthropic.com"), anthropic));
    EXPECT_TRUE(made_the_dialect(at("https://us-central1-aiplatform.googleapis.com/v1"), gemini));
    EXPECT_FALSE(made_the_dialect(at("https://api.openai.com.evil.example/v1"), openai_chat));
    EXPECT_FALSE(made_the_dialect(at("https://api.anthropic.com"), openai_chat));
    EXPECT_FALSE(made_the_dialect(at("http://127.0.0.1:8080/v1"), openai_chat));
}

TEST(Plainer, what_every_server_takes_is_not_said_otherwise) {
    const auto request = request_of(R"("messages":[{"role":"system","content":"S"},{"role":"user","content":"a"}],
        "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}])");
    EXPECT_FALSE(said_plainly(request, at("http://lab/v1"), dialect::Speaker::openai_chat));
}

TEST(Plainer, who_made_the_dialect_is_asked_the_same_with_calls_and_results_in_order) {
    const auto hosted = R"(,"tools":[{"type":"web_search"}],"keep_alive":"5m")";
    const auto request = request_of(std::string(kInterrupted) + hosted);
    const auto maker = said_plainly(request, at("https://api.openai.com/v1"), dialect::Speaker::openai_chat);
    ASSERT_TRUE(maker);
    EXPECT_EQ(maker->fitted.request.messages.size(), 4U);
    EXPECT_EQ(maker->fitted.request.tools.size(), 1U);
    EXPECT_EQ(maker->fitted.request.extra.size(), 1U);
    const auto other = said_plainly(request, at("http://lab/v1"), dialect::Speaker::openai_chat);
    ASSERT_TRUE(other);
    EXPECT_TRUE(other->fitted.request.tools.empty());
    EXPECT_TRUE(other->fitted.request.extra.empty());
}

TEST(Plainer, a_demand_is_never_left_out) {
    const auto request = request_of(std::string(kInterrupted) + R"(,"guided_json":{"type":"object"})");
    EXPECT_FALSE(said_plainly(request, at("http://lab/v1"), dialect::Speaker::openai_chat));
}

TEST(Plainer, refusals_of_thoughts_are_known_by_their_words) {
    for (const auto* words :
         {"messages.1.content.0: invalid `signature` in `thinking` block",
          "messages.5.content.0.thinking.signature: field required",
          "the encrypted content gaaa...== could not be verified.", "thought signature is not valid.",
          "reasoning `encrypted_content` was not issued to this caller",
          "item 'rs_1' of type 'reasoning' was provided without its required following item.",
          "item with id 'rs_68' not found. items are not persisted when `store` is set to false."})
        EXPECT_TRUE(refuses_thoughts(words)) << words;
    for (const auto* words :
         {"invalid api key",
          R"({"error":{"message":"function call is missing a thought_signature","status":"invalid_argument"}})",
          "missing `reasoning_content` field in the assistant message", "invalid signature"})
        EXPECT_FALSE(refuses_thoughts(words)) << words;
}

}  // namespace
}  // namespace tandem::translate
