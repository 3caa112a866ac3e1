#include "dialect/own_words.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "dialect/fields.h"

namespace tandem::dialect {
namespace {

std::string meant(Kind kind, std::string_view body, std::string_view path = "/v1/chat/completions") {
    json::Document document;
    EXPECT_TRUE(document.parse(body));
    return in_own_words(kind, {document, path}).value_or("as it came");
}

std::string without(std::string_view body, std::string_view keys) {
    json::Document document;
    EXPECT_TRUE(document.parse(body));
    Splice splice(document);
    splice.leave_out(document.root(), [&](const json::Value& one) {
        return keys.find(one.key().empty() ? one.raw() : one.key()) != std::string_view::npos;
    });
    return splice.take();
}

TEST(OwnWords, members_and_elements_are_taken_out_wherever_they_stand) {
    const std::string_view body = R"({ "a" : 1, "b":[2,{}] ,"c": "x" })";
    EXPECT_EQ(without(body, ""), body);
    EXPECT_EQ(without(body, "a"), R"({ "b":[2,{}] ,"c": "x" })");
    EXPECT_EQ(without(body, "b"), R"({ "a" : 1 ,"c": "x" })");
    EXPECT_EQ(without(body, "c"), R"({ "a" : 1, "b":[2,{}] })");
    EXPECT_EQ(without(body, "ab"), R"({ "c": "x" })");
    EXPECT_EQ(without(body, "bc"), R"({ "a" : 1 })");
    EXPECT_EQ(without(body, "ac"), R"({ "b":[2,{}] })");
    EXPECT_EQ(without(body, "abc"), "{  }");
    EXPECT_EQ(without("[1, 2 ,3]", "1"), "[2 ,3]");
    EXPECT_EQ(without("[1, 2 ,3]", "23"), "[1]");
    EXPECT_EQ(without("[1, 2 ,3]", "2"), "[1 ,3]");
    EXPECT_EQ(without(R"({"q\"":1,"\\":2,"z":3})", "\\"), R"({"q\"":1,"z":3})");
}

TEST(OwnWords, a_body_in_its_own_words_stays_as_it_came) {
    for (
        const auto* body :
        {R"({"model":"m","messages":[{"role":"user","content":"x"}]})",
         R"({"model":"m","messages":[{"role":"tool","tool_call_id":"a","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false})",
         R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"image_url","image_url":{"url":"u"}}]}],"max_tokens":5,"user":null})"})
        EXPECT_EQ(meant(Kind::openai_chat, body), "as it came") << body;
    EXPECT_EQ(meant(Kind::gemini, R"({"contents":[{"role":"user","parts":[{"text":"x"}]}],"tools":[]})"), "as it came");
    EXPECT_EQ(meant(Kind::ollama, R"({"model":"m","messages":[{"role":"user","content":"x","images":["AAAA"]}]})"),
              "as it came");
    EXPECT_EQ(meant(Kind::openai_responses, R"({"model":"m","input":[{"role":"user","content":"x"}]})"), "as it came");
    EXPECT_EQ(meant(Kind::openai_chat, "[1]"), "as it came");
}

TEST(OwnWords, what_changes_together_is_changed_together) {
    EXPECT_EQ(
        meant(
            Kind::openai_chat,
            R"({"tools":[],"tool_choice":"auto","max_tokens":7,"model":"m","max_completion_tokens":9,"messages":[{"role":"user","content":["x"]}],"parallel_tool_calls":true})"),
        R"({"max_tokens":7,"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]})");
    EXPECT_EQ(meant(Kind::gemini, R"({"contents":{"parts":{"text":"x"},"role":"assistant"}})"),
              R"({"contents":[{"parts":[{"text":"x"}],"role":"model"}]})");
    EXPECT_EQ(meant(Kind::openai_chat, R"({"messages":[]})", "/openai/deployments/gpt/chat/completions"),
              R"({"messages":[],"model":"gpt"})");
}

}  // namespace
}  // namespace tandem::dialect
