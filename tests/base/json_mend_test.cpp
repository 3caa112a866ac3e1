#include "base/json_mend.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tandem::json {
namespace {

std::string text_in(const std::string& json) {
    Document document;
    if (!document.parse(json)) return "(no JSON)";
    return std::string(document.root()["t"].text());
}

TEST(JsonMend, LeavesWhatIsWellAsItIs) {
    for (const auto* good :
         {R"({"t":"a \ud83c\udf0d é 🌍 \\ud83c \n"})", R"([1,"\u00e9",{"k":null}])", R"({"t":"\\\"\ud83c\udf0d"})"})
        EXPECT_EQ(marked(good), good);
}

TEST(JsonMend, MakesALoneHalfOrAStrayByteOneReplacement) {
    EXPECT_EQ(text_in(mended(R"({"t":"a\ud83c"})")), "a\xEF\xBF\xBD");
    EXPECT_EQ(text_in(mended(R"({"t":"\udf0db"})")),
              "\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(text_in(mended("{\"t\":\"a\xF0\x9F\"}")), "a\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(text_in(mended("{\"t\":\"a\x01\tb\"}")), "a\x01\tb");
}

TEST(JsonMend, JoinsTheHalvesOfOneCharacter) {
    const std::string high = text_in(marked(R"({"t":"x\ud83c"})")), low = text_in(marked(R"({"t":"\udf0dy"})"));
    ASSERT_EQ(begun(high), kMarkBytes);
    ASSERT_EQ(rest_of(high.substr(1), low), kMarkBytes);
    EXPECT_EQ(unmarked(high + low), "x\xF0\x9F\x8C\x8Dy");
    const std::string begins = text_in(marked("{\"t\":\"x\xF0\x9F\"}")),
                      goes_on = text_in(marked("{\"t\":\"\x8C\x8Dy\"}"));
    ASSERT_EQ(begun(begins), 2 * kMarkBytes);
    ASSERT_EQ(rest_of(begins.substr(1), goes_on), 2 * kMarkBytes);
    EXPECT_EQ(unmarked(begins + goes_on), "x\xF0\x9F\x8C\x8Dy");
}

TEST(JsonMend, TakesNothingForARestThatIsNone) {
    const std::string high = text_in(marked(R"({"t":"\ud83c"})"));
    EXPECT_EQ(rest_of(high, "y"), 0U);
    EXPECT_EQ(rest_of(high, high), 0U);
    EXPECT_EQ(rest_of(high, ""), 0U);
    EXPECT_EQ(begun("plain"), 0U);
    EXPECT_EQ(begun(text_in(marked(R"({"t":"\udf0d"})"))), 0U) << "a second half begins nothing";
}

}  // namespace
}  // namespace tandem::json
