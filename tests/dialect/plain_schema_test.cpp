#include "dialect/plain_schema.h"

#include <gtest/gtest.h>

namespace tandem::dialect {
namespace {

TEST(PlainSchema, says_types_properties_and_what_is_required) {
    EXPECT_EQ(plain_schema(R"({"$schema":"x","type":"object","additionalProperties":false,"properties":{
            "a":{"type":"string","minLength":1,"pattern":"^x","description":"An a"},
            "b":{"type":["integer","null"]},"c":{"type":["string","number"]},"d":true},"required":["a","gone"]})",
                           false),
              R"({"type":"object","properties":{"a":{"type":"string","description":"An a"},)"
              R"("b":{"anyOf":[{"type":"integer"},{"type":"null"}]},)"
              R"("c":{"anyOf":[{"type":"string"},{"type":"number"}]},"d":{}},"required":["a"]})");
}

TEST(PlainSchema, puts_what_is_referred_to_in_its_place_and_ends_where_that_goes_round) {
    const auto plain = plain_schema(
        R"({"type":"object","properties":{"n":{"$ref":"#/$defs/a~1b"}},"$defs":{"a/b":{"type":"object","properties":{"next":{"$ref":"#/$defs/a~1b"}}}}})",
        false);
    EXPECT_TRUE(plain.starts_with(
        R"({"type":"object","properties":{"n":{"type":"object","properties":{"next":{"type":"object","properties":{"next":)"))
        << plain;
    EXPECT_EQ(plain.find("$ref"), std::string::npos);
    EXPECT_LT(plain.size(), 4000U);
    EXPECT_EQ(plain_schema(R"({"$ref":"#"})", false), R"({"type":"object","properties":{}})");
}

TEST(PlainSchema, is_bounded_where_references_multiply) {
    std::string many = R"({"type":"object","properties":{"p":{"$ref":"#/$defs/d0"}},"$defs":{)";
    for (int i = 0; i < 30; ++i) {
        const auto next = "{\"$ref\":\"#/$defs/d" + std::to_string(i + 1) + "\"}";
        many += "\"d" + std::to_string(i) + R"(":{"type":"object","properties":{"a":)" + next + ",\"b\":" + next +
                ",\"c\":" + next + "}},";
    }
    EXPECT_LT(plain_schema(many + R"("d30":{"type":"string"}}})", false).size(), 1U << 20);
}

TEST(PlainSchema, chooses_between_texts_and_describes_other_choices) {
    EXPECT_EQ(plain_schema(R"({"type":"object","properties":{"a":{"const":"x"},"b":{"enum":["p","q",null]},
                               "c":{"type":"integer","enum":[1,2]},"d":{"oneOf":[{"const":"u"},{"const":"v"}]}}})",
                           false),
              R"({"type":"object","properties":{"a":{"type":"string","enum":["x"]},)"
              R"("b":{"anyOf":[{"type":"string","enum":["p","q"]},{"type":"null"}]},)"
              R"("c":{"type":"integer","description":"One of: 1, 2"},"d":{"type":"string","enum":["u","v"]}}})");
}

TEST(PlainSchema, lets_be_null_what_may_be_null_and_nothing_else) {
    const auto plain = [](const std::string& property) {
        const auto whole = plain_schema(R"({"type":"object","properties":{"a":)" + property + "}}", false);
        const std::string begin = R"({"type":"object","properties":{"a":)";
        EXPECT_TRUE(whole.starts_with(begin) && whole.ends_with("}}")) << whole;
        return whole.substr(begin.size(), whole.size() - begin.size() - 2);
    };
    EXPECT_EQ(plain(R"({"type":["string","null"],"description":"An a"})"),
              R"({"description":"An a","anyOf":[{"type":"string"},{"type":"null"}]})");
    EXPECT_EQ(plain(R"({"type":["string","integer","null"]})"),
              R"({"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]})");
    EXPECT_EQ(plain(R"({"anyOf":[{"type":"string"},{"type":"null"}],"title":"A"})"),
              R"({"description":"A","anyOf":[{"type":"string"},{"type":"null"}]})");
    EXPECT_EQ(plain(R"({"type":"string","nullable":true})"), R"({"anyOf":[{"type":"string"},{"type":"null"}]})");
    EXPECT_EQ(plain(R"({"type":["integer","null"],"enum":[1,2,null]})"),
              R"({"anyOf":[{"type":"integer","description":"One of: 1, 2"},{"type":"null"}]})");
    // Where one of two conditions forbids it, the type or the choice.
    EXPECT_EQ(plain(R"({"type":["string","null"],"enum":["a","b"]})"), R"({"type":"string","enum":["a","b"]})");
    EXPECT_EQ(plain(R"({"allOf":[{"type":["string","null"]},{"type":"string"}]})"), R"({"type":"string"})");
    EXPECT_EQ(plain(R"({"type":"string"})"), R"({"type":"string"})");
}

TEST(PlainSchema, lists_the_properties_of_alternatives_at_the_top_and_requires_none_of_them) {
    EXPECT_EQ(plain_schema(R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],
                               "anyOf":[{"properties":{"b":{"type":"string"}},"required":["b"]},{"required":["c"]}]})",
                           true),
              R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a"],)"
              R"("additionalProperties":false})");
}

TEST(PlainSchema, is_the_same_for_what_is_plain_already_and_an_object_for_what_is_none) {
    const std::string plain =
        R"({"type":"object","properties":{"a":{"anyOf":[{"type":"string"},{"type":"array","items":{"type":"number"}}]}},"required":["a"]})";
    EXPECT_EQ(plain_schema(plain, false), plain);
    for (const auto* none : {"", "null", "[]", "3", "{", "true"})
        EXPECT_EQ(plain_schema(none, false), R"({"type":"object","properties":{}})") << none;
}

}  // namespace
}  // namespace tandem::dialect
