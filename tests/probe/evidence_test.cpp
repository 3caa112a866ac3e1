#include "probe/evidence.h"

#include <gtest/gtest.h>

#include "base/splitmix.h"

namespace tandem::probe {
namespace {

// Right with this probability.
class Coin {
  public:
    Coin(std::uint64_t seed, double share) : numbers_(seed), share_(share) {}
    bool operator()() { return static_cast<double>(numbers_.next() >> 11U) * 0x1p-53 < share_; }

  private:
    SplitMix64 numbers_;
    double share_;
};

TEST(Proportion, interval_holds_whenever_one_looks) {
    constexpr int kRuns = 1'000, kLooks = 60;
    for (const double share : {0.05, 0.5, 0.8, 0.97}) {
        int missed = 0;
        for (int run = 0; run < kRuns; ++run) {
            Coin coin(static_cast<std::uint64_t>(run) + 1, share);
            Proportion proportion;
            bool ever = false;
            for (int look = 0; look < kLooks; ++look) {
                proportion.add(coin());
                const auto [low, high] = proportion.interval();
                ever = ever || share < low || share > high;
            }
            missed += ever ? 1 : 0;
        }
        EXPECT_LE(missed, kRuns * Proportion::kAlpha) << share;
    }
}

TEST(Proportion, interval_has_the_share_in_it_and_narrows) {
    Proportion few, many;
    for (int i = 0; i < 5; ++i) few.add(i < 4);
    for (int i = 0; i < 100; ++i) many.add(i < 80);
    for (const auto& one : {few, many}) {
        EXPECT_LT(one.interval().low, one.share());
        EXPECT_GT(one.interval().high, one.share());
    }
    EXPECT_LT(many.interval().high - many.interval().low, few.interval().high - few.interval().low);
    EXPECT_EQ(Proportion().interval().low, 0);
    EXPECT_EQ(Proportion().interval().high, 1);
    Proportion all;
    for (int i = 0; i < 8; ++i) all.add(true);
    EXPECT_EQ(all.interval().high, 1);
    EXPECT_NEAR(all.interval().low, 0.561, 0.001);  // KT: prod (i + 1/2) / (i + 1) = p^8 * 20
}

TEST(Sprt, is_seldom_wrong_and_early_where_it_is_plain) {
    constexpr int kRuns = 2'000;
    for (const bool good : {true, false}) {
        int wrong = 0, asked = 0;
        for (int run = 0; run < kRuns; ++run) {
            Coin coin(static_cast<std::uint64_t>(run) + 7, good ? 0.9 : 0.6);
            Sprt test(0.9, 0.6);
            while (test.verdict() == Sprt::Verdict::open) {
                test.add(coin());
                ++asked;
            }
            wrong += (test.verdict() == Sprt::Verdict::good) == good ? 0 : 1;
        }
        EXPECT_LE(wrong, kRuns * Sprt::kError * 1.2);
        EXPECT_LT(asked, kRuns * 20);
    }
}

}  // namespace
}  // namespace tandem::probe
