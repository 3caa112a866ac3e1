#include <gtest/gtest.h>

#include "chat/filter.h"

namespace tandem::chat {
namespace {

struct Said {
    std::string text;
    bool failed = false;
    std::size_t pieces = 0;
};

Said said(const std::vector<std::string>& pieces, Finish end = Finish::stop, bool calls = false) {
    const auto filter = json_filter();
    std::vector<Event> out;
    for (const auto& piece : pieces) filter->take(TextDelta{0, piece}, out);
    if (calls) filter->take(ToolCallDelta{}, out);
    filter->take(Finished{0, end, {}}, out);
    filter->end(out);
    Said result;
    for (const auto& event : out) {
        if (const auto* text = std::get_if<TextDelta>(&event)) {
            result.text += text->text;
            ++result.pieces;
        }
        result.failed = result.failed || std::holds_alternative<Failed>(event);
    }
    return result;
}

TEST(JsonFilter, an_object_is_handed_on_as_it_comes) {
    const auto object = said({"\n{\"a\"", ": 1", "}"});
    EXPECT_EQ(object.text, "\n{\"a\": 1}");
    EXPECT_EQ(object.pieces, 3U);
    EXPECT_FALSE(object.failed);
}

TEST(JsonFilter, words_and_fences_around_an_object_are_left_out) {
    EXPECT_EQ(said({"Here:\n``", "`json\n{\"a\": {\"b\": 2}}\n```", " Done."}).text, R"({"a": {"b": 2}})");
}

TEST(JsonFilter, an_answer_without_an_object_is_a_failure_and_a_cut_one_or_a_call_is_as_it_is) {
    EXPECT_TRUE(said({"I would rather not."}).failed);
    EXPECT_TRUE(said({"[1, 2]"}).failed);
    EXPECT_TRUE(said({"{\"a\": "}).failed);
    EXPECT_TRUE(said({}).failed);
    EXPECT_EQ(said({"{\"a\": "}, Finish::length).text, "{\"a\": ");
    EXPECT_EQ(said({"I look."}, Finish::tool_calls, true).text, "I look.");
    EXPECT_EQ(said({"No."}, Finish::content_filter).text, "No.");
}

}  // namespace
}  // namespace tandem::chat
