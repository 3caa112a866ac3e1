// What is read once for all values finds the words that a search around each value by itself finds.
#include "privacy/patterns/context.h"

#include <gtest/gtest.h>

#include <random>

#include "privacy/patterns/checks.h"

namespace tandem::privacy {
namespace {

bool one_by_one(std::string_view text, std::size_t begin, std::size_t end, std::size_t before, std::size_t behind) {
    return near(text, begin, end, {"card", "visa", "mastercard", "amex", "credit", "pan"}, before, behind);
}

TEST(Contexts, find_the_words_that_a_search_around_each_place_finds) {
    constexpr auto kPieces =
        std::to_array<std::string_view>({"card", "Visa ", "pan", "xpan ", "amex\n", "credit-", "4111 ", "1", " ", ",",
                                         "mastercar", "d", "\xC3\xA9", "_"});
    std::mt19937 random(11);
    int found = 0;
    for (int round = 0; round < 200; ++round) {
        std::string text;
        // Some are longer than what is kept.
        const std::size_t pieces = round % 10 == 0 ? 4000 : 60;
        for (std::size_t i = 0; i < pieces; ++i) text += kPieces[random() % kPieces.size()];
        Context context;
        std::size_t at = 0;
        while (at < text.size()) {
            // Forwards for the most part, as candidates come.
            const std::size_t begin = random() % 8 == 0 ? at / 2 : at,
                              end = std::min(text.size(), begin + random() % 90);
            const std::size_t before = random() % 70, behind = random() % 30;
            const bool expected = one_by_one(text, begin, end, before, behind);
            ASSERT_EQ(context.near(text, Topic::card_of_many_groups, begin, end, before, behind), expected)
                << begin << ' ' << end << ' ' << before << ' ' << behind << '\n'
                << text;
            found += expected ? 1 : 0;
            at += random() % 5 == 0 ? 700 : random() % 20;
        }
    }
    EXPECT_GT(found, 1000);
}

// Each byte once, however many values ask.
TEST(Contexts, of_a_dense_list_cost_about_its_bytes) {
    std::string text;
    while (text.size() < 20'000) text += "card 4 ";
    const auto before = work_done;
    Context context;
    for (std::size_t at = 0; at + 1 < text.size(); ++at) EXPECT_TRUE(context.near(text, Topic::card, at, at + 1));
    EXPECT_LE(work_done - before, 2 * text.size());
}

}  // namespace
}  // namespace tandem::privacy
