// Changes of a config that somebody wrote: everything else of it stays as it is written.
#include "advice/edit.h"

#include <gtest/gtest.h>

namespace tandem::advice {

namespace {

std::string after(const std::string& text, const std::vector<std::string>& path, const std::string& value) {
    const auto result = with_value(text, path, value);
    return result ? *result : "error: " + result.error().message;
}

}  // namespace

TEST(Edit, replacesAValueAndKeepsCommentsAndOrder) {
    EXPECT_EQ(
        after("# mine\npolicy:\n  preset: hybrid   # the usual\n  objective: { answer_value: 2 }\ncurrency: EUR\n",
              {"policy", "preset"}, "learned"),
        "# mine\npolicy:\n  preset: learned   # the usual\n  objective: { answer_value: 2 }\ncurrency: EUR\n");
    EXPECT_EQ(after("policy: {preset: \"hybrid\"} # ü\n", {"policy", "preset"}, "learned"),
              "policy: {preset: learned} # ü\n");
    EXPECT_EQ(after("# ä ö ü € 😀\npolicy: { preset: hybrid }\n", {"policy", "preset"}, "learned"),
              "# ä ö ü € 😀\npolicy: { preset: learned }\n");
}

TEST(Edit, addsAMemberToAMapping) {
    EXPECT_EQ(
        after("models:\n  a: { provider: x }\n  b:\n    # why\n    provider: x\n", {"models", "a", "auto"}, "false"),
        "models:\n  a: { auto: false, provider: x }\n  b:\n    # why\n    provider: x\n");
    EXPECT_EQ(after("models:\n  b:\n    # why\n    provider: x\n    context: 8\n", {"models", "b", "auto"}, "false"),
              "models:\n  b:\n    # why\n    auto: false\n    provider: x\n    context: 8\n");
    EXPECT_EQ(after("models:\n  a: {}\n", {"models", "a", "auto"}, "false"), "models:\n  a: {auto: false}\n");
    EXPECT_EQ(after("models:\n  a: { provider: x }\n",
                    {
                        "models",
                        "x/y-1",
                    },
                    "{ provider: p, name: \"y-1\" }"),
              "models:\n  x/y-1: { provider: p, name: \"y-1\" }\n  a: { provider: x }\n");
    EXPECT_EQ(after("models:\r\n  b:\r\n    provider: x\r\n", {"models", "b", "auto"}, "false"),
              "models:\r\n  b:\r\n    auto: false\r\n    provider: x\r\n");
}

TEST(Edit, replacesAList) {
    const std::vector<std::string> path = {"models", "a", "args"};
    EXPECT_EQ(after("models:\n  a: { args: [--threads, '4'], provider: x } # mine\n", path, "[--threads, \"2\"]"),
              "models:\n  a: { args: [--threads, \"2\"], provider: x } # mine\n");
    EXPECT_EQ(after("models:\n  a:\n    args: [ --x,  # [why]\n            \"]\" ]\n    provider: x\n", path, "[]"),
              "models:\n  a:\n    args: []\n    provider: x\n");
    EXPECT_EQ(after("models: { a: { provider: x } }\n", path, "[--threads, \"2\"]"),
              "models: { a: { args: [--threads, \"2\"], provider: x } }\n");
    EXPECT_NE(after("models:\n  a:\n    args:\n      - --x  # why\n    provider: x\n", path, "[]").find("by hand"),
              std::string::npos)
        << "comments between its lines would be lost";
    EXPECT_NE(after("models:\n  a: { args: &list [--x] }\n  b: { args: *list }\n", path, "[]").find("by hand"),
              std::string::npos);
}

TEST(Edit, makesMappingsThatAreMissing) {
    EXPECT_EQ(after("currency: EUR", {"policy", "preset"}, "learned"), "currency: EUR\npolicy: { preset: learned }\n");
    EXPECT_EQ(after("", {"policy", "preset"}, "learned"), "policy: { preset: learned }\n");
    EXPECT_EQ(after("# nothing yet\n", {"policy", "preset"}, "learned"),
              "# nothing yet\npolicy: { preset: learned }\n");
    EXPECT_EQ(after("{ \"currency\": \"EUR\" }", {"policy", "preset"}, "learned"),
              "{ policy: { preset: learned }, \"currency\": \"EUR\" }");
}

// What would touch something else is refused, with what to write.
TEST(Edit, refusesWhatItCannotDoCleanly) {
    for (const std::string text :
         {"policy: &p { preset: hybrid }\nother: *p\n", "policy:\n", "policy: [a]\n", "a: 1\n---\nb: 2\n",
          "policy: { preset: \"hy\\x62rid\" }\n", "{ not yaml", "policy: { preset: |\n  hybrid\n }\n"}) {
        const auto result = with_value(text, {"policy", "preset"}, "learned");
        EXPECT_FALSE(result) << text << "\nbecame\n" << *result;
        if (!result) EXPECT_NE(result.error().message.find("policy.preset: learned"), std::string::npos);
    }
}

TEST(Edit, makesAllChangesThatAreNotByHand) {
    const auto result = edited("models:\n  a: { provider: x }\n", {{Change::What::preset, "", "learned"},
                                                                   {Change::What::sell, "workstation", ""},
                                                                   {Change::What::auto_use, "a", "false"}});
    ASSERT_TRUE(result);
    EXPECT_EQ(*result, "models:\n  a: { auto: false, provider: x }\npolicy: { preset: learned }\n");
}

}  // namespace tandem::advice
