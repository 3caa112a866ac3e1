#include <gtest/gtest.h>

#include "base/id.h"
#include "base/json.h"
#include "base/money.h"
#include "base/secret.h"
#include "base/text.h"

namespace tandem {
namespace {

using json::Document;

std::string broken(std::string_view text) {
    Document document;
    const auto ok = document.parse(text);
    return ok ? "" : ok.error().message;
}

TEST(Json, keeps_the_exact_bytes_of_every_value) {
    Document d;
    const std::string_view source =
        R"( {"a": 1.50, "big":12345678901234567890123,"t":{"x" : [1 ,2]},"s":"\u00e9\/" } )";
    ASSERT_TRUE(d.parse(source));
    EXPECT_EQ(d.root()["a"].raw(), "1.50");
    EXPECT_EQ(d.root()["big"].raw(), "12345678901234567890123");
    EXPECT_EQ(d.root()["t"].raw(), R"({"x" : [1 ,2]})");
    EXPECT_EQ(d.root()["s"].raw(), R"("\u00e9\/")");
    EXPECT_EQ(d.root()["s"].text(), "\xC3\xA9/");
    EXPECT_EQ(d.root()["missing"]["deeper"].string(), std::nullopt);
    EXPECT_EQ(source.substr(d.root()["a"].offset(), 4), "1.50");
}

TEST(Json, refuses_what_is_not_json) {
    for (const auto* text : {R"({"a":1)",
                             R"({"a":tru})",
                             R"([1 2])",
                             R"({"a" 1})",
                             R"({"a":01})",
                             R"({"a":1}x)",
                             R"([1,])",
                             R"({,})",
                             "",
                             "{\"a\":\"\x01\"}",
                             R"({"a":"\ud800"})",
                             "{\"a\":\"\xff\"}",
                             "5",
                             R"({"a":.5})",
                             R"({"a":+1})",
                             R"({"a":NaN})",
                             "[\"a]",
                             "[\t\t\tnull",
                             "[null",
                             "{\"a\":null",
                             "[true",
                             "[\t1"})
        EXPECT_NE(broken(text), "") << text;
}

TEST(Json, refuses_a_key_that_stands_twice_since_two_readers_could_take_different_ones) {
    EXPECT_NE(broken(R"({"model":"a","model":"b"})").find("twice"), std::string::npos);
    EXPECT_NE(broken(R"({"model":"a","mod\u0065l":"b"})").find("twice"), std::string::npos);
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"k" + std::to_string(i) + "\":1,";
    EXPECT_NE(broken(many + "\"k7\":2}").find("twice"), std::string::npos);
    EXPECT_EQ(broken(many + "\"other\":2}"), "");
}

TEST(Json, bounds_depth) {
    EXPECT_EQ(broken(std::string(99, '[') + std::string(99, ']')), "");
    EXPECT_NE(broken(std::string(100'000, '[') + std::string(100'000, ']')).find("deep"), std::string::npos);
}

TEST(Json, a_document_is_reusable_and_decodes_long_escaped_strings) {
    Document d;
    for (int round = 0; round < 3; ++round) {
        std::string text = "[";
        for (int i = 0; i < 2000; ++i) text += "\"line\\n\\\"quoted\\\" \\u20ac\",";
        text.back() = ']';
        ASSERT_TRUE(d.parse(text));
        EXPECT_EQ(d.root().size(), 2000U);
        for (const json::Value v : d.root().children()) ASSERT_EQ(v.text(), "line\n\"quoted\" \xE2\x82\xAC");
    }
}

TEST(Json, writes_strings_that_any_reader_takes) {
    EXPECT_EQ(json::quoted("a\"\\\n\x01\x7f\xff\xC3\xA9"), "\"a\\\"\\\\\\n\\u0001\\u007f\xEF\xBF\xBD\xC3\xA9\"");
    json::Writer out;
    out.begin_object()
        .member("a", 1)
        .key("b")
        .begin_array()
        .value("x")
        .value(true)
        .null()
        .end_array()
        .raw_member("c", "1.50")
        .end_object();
    EXPECT_EQ(out.text(), R"({"a":1,"b":["x",true,null],"c":1.50})");
}

TEST(Money, reads_and_prints_exactly) {
    EXPECT_EQ(Money::parse("2.50")->micros(), 2'500'000);
    EXPECT_EQ(Money::parse("0.000001")->micros(), 1);
    EXPECT_EQ(Money::parse("10")->text(), "10.000000");
    for (const auto* text : {"", ".", "-1", "1e3", "0.0000001", "1,5", "99999999999999999999"})
        EXPECT_FALSE(Money::parse(text)) << text;
}

TEST(Text, suggests_the_nearest_name) {
    const std::vector<std::string> names = {"providers", "privacy", "policy"};
    EXPECT_EQ(nearest("provider", names), "providers");
    EXPECT_EQ(nearest("xyz", names), "");
    EXPECT_EQ(nearest("modles", std::vector<std::string>{"model", "models"}), "models")
        << "swapped letters are one slip";
    EXPECT_EQ(suggest("polcy", names), "; did you mean 'policy'?");
}

TEST(Text, makes_outside_text_printable) {
    EXPECT_EQ(printable("a\x1b[31m\r\n"), "a?[31m??");
    EXPECT_EQ(printable("\xC3\xA9\xC3\xA9\xC3\xA9", 3), "\xC3\xA9...");
}

TEST(Secret, cannot_be_copied_and_compares_whole) {
    static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
    const Secret secret("0123456789abcdef");
    EXPECT_TRUE(secret.equals("0123456789abcdef"));
    EXPECT_FALSE(secret.equals("0123456789abcde"));
    EXPECT_FALSE(secret.equals("0123456789abcdeg"));
}

TEST(Id, sorts_by_time_and_repeats_from_a_seed) {
    struct Fixed final : Clock {
        std::int64_t ms = 1'700'000'000'000;
        SteadyTime steady() const override { return {}; }
        WallTime wall() const override { return WallTime(milliseconds(ms)); }
    } clock;
    const auto a = seeded_random(7), b = seeded_random(7);
    const auto first = DecisionId::make(clock, *a);
    EXPECT_EQ(first, DecisionId::make(clock, *b));
    clock.ms += 1;
    EXPECT_LT(first.text(), DecisionId::make(clock, *a).text());
}

}  // namespace
}  // namespace tandem
