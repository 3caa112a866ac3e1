#include "chat/splice.h"

#include <gtest/gtest.h>

namespace tandem::chat {
namespace {

// What comes out, and how much of it was known before the end.
std::string through(EventFilter& splice, std::string_view text, std::size_t piece, std::size_t* early = nullptr) {
    std::vector<Event> out;
    for (std::size_t at = 0; at < text.size(); at += piece)
        splice.take(TextDelta{0, std::string(text.substr(at, piece))}, out);
    auto said = [&] {
        std::string all;
        for (const auto& event : out)
            if (const auto* delta = std::get_if<TextDelta>(&event)) all += delta->text;
        return all;
    };
    if (early != nullptr) *early = said().size();
    splice.take(Finished{}, out);
    return said();
}

struct Case {
    std::string_view given, comes, rest;
};

constexpr std::string_view kSentence = "A lake is still water, and a river is water that goes somewhere.";

TEST(Continuation, says_nothing_twice_however_it_is_cut) {
    const Case cases[] = {
        {"A lake is still", " water.", " water."},
        {"A lake is still ", " water.", "water."},  // its white space was not sent, and comes again
        {"A lake is still\n\n", "\n\nNext", "Next"},
        {"A lake is still ", "water.", "water."},
        {"A lake is still", "A lake is still water.", " water."},  // all of it
        {"Hel", "Hello", "lo"},
        {kSentence, "that goes somewhere. And more.", " And more."},
        {kSentence, "goes", "goes"},  // short ones are how text is
        {"ha ha ha ", "ha ha", "ha ha"},
        {"one two three four five six", "four five six seven", " seven"},  // 13 bytes are too short
        {"the number 1234567890123456", "1234567890123456789", "789"},
    };
    for (const auto& one : cases)
        for (std::size_t piece = 1; piece < 9; ++piece) {
            const auto splice = continuation_splice(std::string(one.given));
            const auto rest = through(*splice, one.comes, piece);
            if (one.given.starts_with("one two"))
                EXPECT_EQ(rest, "four five six seven");
            else
                EXPECT_EQ(rest, one.rest) << one.given << " | " << one.comes;
        }
}

TEST(Continuation, holds_back_only_what_could_be_a_repetition) {
    std::size_t early = 0;
    const auto splice = continuation_splice(std::string(kSentence));
    EXPECT_EQ(through(*splice, "But a pond is small. It goes", 4, &early), "But a pond is small. It goes");
    EXPECT_EQ(early, 28U);
}

TEST(Continuation, passes_all_else) {
    const auto splice = continuation_splice("A lake");
    std::vector<Event> out;
    splice->take(TextDelta{0, "A la"}, out);
    EXPECT_TRUE(out.empty());
    splice->take(Finished{}, out);
    ASSERT_EQ(out.size(), 2U) << "the end of the answer ends the wait";
    EXPECT_EQ(std::get<TextDelta>(out[0]).text, "A la");
}

// Else half of a repetition would be said, and be given to the next model as part of the answer.
TEST(Continuation, says_nothing_of_what_it_holds_where_the_stream_just_ends) {
    const auto splice = continuation_splice(std::string(kSentence));
    std::vector<Event> out;
    splice->take(TextDelta{0, "A lake is"}, out);
    splice->end(out);
    EXPECT_TRUE(out.empty());
}

TEST(Restart, says_nothing_for_as_long_as_the_same_is_said) {
    for (std::size_t piece = 1; piece < 9; ++piece) {
        auto splice = restart_splice("A lake is");
        EXPECT_EQ(through(*splice, "A lake is still water.", piece), " still water.");
        splice = restart_splice("A lake is");
        EXPECT_EQ(through(*splice, "A lake was", piece), std::string(kBeginsAgain) + "A lake was");
        splice = restart_splice("A lake is");
        EXPECT_EQ(through(*splice, "A lake", piece), "");
        splice = restart_splice("");
        EXPECT_EQ(through(*splice, "A lake", piece), "A lake");
    }
}

}  // namespace
}  // namespace tandem::chat
