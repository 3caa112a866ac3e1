// Which refusals are about the model alone, and how long it rests.
#include "upstream/model_refused.h"

#include <gtest/gtest.h>

#include "tests/support.h"
#include "upstream/health.h"

namespace tandem::upstream {
namespace {

TEST(ModelRefused, is_what_providers_say_of_a_model_that_they_have_not) {
    using enum ModelRefused;
    struct Case {
        int status;
        const char* words;
        std::optional<ModelRefused> expected;
    };
    for (
        const auto& [status, words, expected] : std::initializer_list<Case>{
            {404, "this model is only supported in v1/responses and not in v1/chat/completions.", responses_only},
            {400, R"({"error":{"message":"this model is only supported in v1/responses."}})", responses_only},
            {404,
             "this is not a chat model and thus not supported in the v1/chat/completions endpoint. did you mean "
             "to use v1/completions?",
             other_api},
            {404,
             R"({"error":{"message":"the model `gpt-9` does not exist or you do not have access to it.","code":"model_not_found"}})",
             unknown},
            {403, R"({"error":{"message":"project `p` does not have access to model `x`","code":"model_not_found"}})",
             unknown},
            {404, R"({"type":"error","error":{"type":"not_found_error","message":"model: claude-9"}})", unknown},
            {404, R"({"error":{"code":404,"message":"models/gemini-9 is not found for api version v1beta"}})", unknown},
            {404, R"({"error":"model \"llama9\" not found, try pulling it first"})", unknown},
            {400, R"({"error":{"message":"foo/bar is not a valid model id","code":400}})", unknown},
            {400, R"({"error":{"message":"model not exist","type":"invalid_request_error"}})", unknown},
            {400,
             R"({"error":{"message":"the model `llama2-70b` has been decommissioned","code":"model_decommissioned"}})",
             unknown},
            {404, R"({"message":"the model `x` does not exist.","type":"notfounderror"})", unknown},
            {404, "404 page not found", {}},
            {404, R"({"detail":"not found"})", {}},
            {400, R"({"error":{"message":"this model does not support tools"}})", {}},
            {400,
             R"({"error":{"message":"unsupported parameter: 'max_tokens' is not supported with this model"}})",
             {}},
            {403, R"({"error":{"message":"the model is not found for this key"}})", {}},
            {500, "the model `x` does not exist", {}},
            {429, "model_not_found", {}},
            {404, "", {}}})
        EXPECT_EQ(model_refused(status, words), expected) << status << " " << words;
}

TEST(ModelRefused, rests_the_model_for_minutes_and_is_said_until_it_answers) {
    test::ManualClock clock;
    Health health(clock);
    config::Provider far, other;
    far.id = other.id = "far";
    other.kind = &provider::named("responses");
    const auto key = Health::model_key(far, "gpt-5-codex");
    EXPECT_EQ(health.unhealthy_model(key), "");
    health.refused_model(key, "only there");
    EXPECT_EQ(health.unhealthy_model(key), "only there");
    // Neither its provider, nor another model of it, nor the same by a provider of another kind.
    EXPECT_EQ(health.unhealthy("far"), "");
    EXPECT_EQ(health.unhealthy_model(Health::model_key(far, "gpt-5")), "");
    EXPECT_EQ(health.unhealthy_model(Health::model_key(other, "gpt-5-codex")), "");
    clock.now += Health::kRefusedModelRest;
    EXPECT_EQ(health.unhealthy_model(key), "");
    EXPECT_EQ(health.refusal_of_model(key), "only there");
    health.model_answered(key);
    EXPECT_EQ(health.refusal_of_model(key), "");
    for (std::size_t i = 0; i < Health::kMostRefused + 10; ++i)
        health.refused_model(Health::model_key(far, std::to_string(i)), "no");
    EXPECT_NE(health.refusal_of_model(Health::model_key(far, std::to_string(Health::kMostRefused + 9))), "");
}

}  // namespace
}  // namespace tandem::upstream
