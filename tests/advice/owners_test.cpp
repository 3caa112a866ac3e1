// Advice beside the truth of a world (bench/owners), in short: the benchmark plays years of 200 worlds of each owner.
#include <gtest/gtest.h>
#include <unistd.h>

#include "owners/judge.h"

namespace tandem::owners {

namespace {

std::filesystem::path folder() {
    return std::filesystem::temp_directory_path() / ("tandem-owners-" + std::to_string(getpid()));
}

Line line(const char* id, std::vector<double> worth) {
    Line one;
    one.id = id;
    one.worth = std::move(worth);
    return one;
}

Judgement judged(const std::vector<int>& list) {
    Judgement judgement;
    judgement.lines = {line("today", {0, 0, 0, 0}), line("better", {9, 10, 11, 10}), line("best", {19, 20, 21, 21}),
                       line("about-the-best", {20, 19, 22, 19})};
    judgement.truly_best = 2;
    compare(judgement, list, [](int, int) { return true; });
    return judgement;
}

constexpr Scale kShort{.days = 14, .years = 2, .more = 0, .year_days = 28};

}  // namespace

TEST(Owners, aRankingThatIsRightIsEqual) {
    const auto right = judged({2, 3, 1, 0});
    EXPECT_TRUE(right.strict.equal());
    EXPECT_EQ(right.pairs, 6);
    EXPECT_DOUBLE_EQ(right.tau, 1);
}

TEST(Owners, aRankingThatIsWrongIsNot) {
    const auto wrong = judged({1, 2, 3, 0});
    EXPECT_FALSE(wrong.seen.best);
    EXPECT_EQ(wrong.seen.wrong, 2);
    EXPECT_FALSE(wrong.known.equal());
    const auto reversed = judged({0, 1, 3, 2});
    EXPECT_EQ(reversed.strict.wrong, 6);
    EXPECT_DOUBLE_EQ(reversed.tau, -1);
}

TEST(Owners, whatYearsDoNotTellApartIsTheSame) {
    const auto swapped = judged({3, 2, 1, 0});
    EXPECT_FALSE(swapped.strict.equal());
    EXPECT_TRUE(swapped.error.equal());
    EXPECT_TRUE(swapped.year.equal());
}

// One world of two owners: a machine that costs more than it gives is sold, a clinic's is not, and over both what
// stands first gives most of what is to gain.
TEST(Owners, whatStandsFirstIsWorthMostOfWhatIsToGain) {
    double lost = 0, to_gain = 0, tau = 0;
    for (const auto owner : {Owner::clinic, Owner::agents}) {
        const auto judgement = judge(owner, 0, kShort, folder());
        const auto said = as_json(owner, 0, judgement, true);
        lost += judgement.first_lost;
        to_gain += judgement.to_gain;
        tau += judgement.tau / 2;
        EXPECT_TRUE(judgement.seen.best) << said;
        const auto& first = judgement.lines[static_cast<std::size_t>(judgement.first)].id;
        if (owner == Owner::agents) EXPECT_TRUE(first.starts_with("sell-box")) << said;
        for (const auto& one : judgement.lines)
            if (owner == Owner::clinic && one.id.starts_with("sell-box")) EXPECT_EQ(one.number, 0) << said;
    }
    EXPECT_GT(to_gain, 0);
    EXPECT_LT(lost, 0.2 * to_gain);
    EXPECT_GT(tau, 0.25);
}

}  // namespace tandem::owners
