// The simulation of queues beside closed forms that do not come from it.
#include "advice/queue.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/splitmix.h"

namespace tandem::advice {

namespace {

// Above 0 and below 1.
double uniform(SplitMix64& random) {
    return (static_cast<double>(random.next() >> 11U) + 0.5) / 9007199254740992.0;
}

// Poisson arrivals at `rate` a millisecond; times of work exponential with the mean `work`, or all the same.
std::vector<Arrival> arrivals(std::uint64_t seed, int count, double rate, double work, bool exponential) {
    SplitMix64 random(seed);
    std::vector<Arrival> list;
    double at = 0;
    for (int i = 0; i < count; ++i) {
        at += -std::log(uniform(random)) / rate;
        list.push_back({at, exponential ? -std::log(uniform(random)) * work : work});
    }
    return list;
}

}  // namespace

TEST(AdviceQueue, servesFirstComeFirstServed) {
    const auto waits = simulate({{0, 10}, {1, 10}, {2, 10}, {40, 5}}, 1);
    EXPECT_EQ(waits.ms, (std::vector<double>{0, 9, 18, 0}));
    EXPECT_DOUBLE_EQ(waits.utilisation, 35.0 / 45);
    const auto two = simulate({{0, 10}, {1, 10}, {2, 10}, {40, 5}}, 2);
    EXPECT_EQ(two.ms, (std::vector<double>{0, 0, 8, 0}));
}

TEST(AdviceQueue, turnsAwayWhoWouldWaitTooLong) {
    const auto waits = simulate({{0, 10}, {1, 10}, {2, 10}, {30, 5}}, 1, 10);
    EXPECT_EQ(waits.turned_away, 1);
    EXPECT_EQ(waits.ms, (std::vector<double>{0, 9, 0}));
}

TEST(AdviceQueue, closedFormsHaveTheirPublishedValues) {
    // Erlang C of 2 servers and a load of 1.5 is 9/14 (Kleinrock 1975, 3.5); the mean wait is C / (c - a).
    EXPECT_NEAR(erlang_c_wait(1.5, 1, 2), 9.0 / 14 / 0.5, 1e-12);
    // One server: rho / (1 - rho).
    EXPECT_NEAR(erlang_c_wait(0.8, 1, 1), 4, 1e-12);
    EXPECT_NEAR(md1_wait(0.8, 1), 2, 1e-12);
}

// A simulation of 400,000 arrivals is within 3 % of the closed form at loads up to 0.9: a fixed seed, so that it is
// the same run always.
TEST(AdviceQueue, waitsAsTheClosedFormsSay) {
    constexpr int kCount = 400'000;
    for (const double rho : {0.3, 0.6, 0.8, 0.9}) {
        const auto fixed = simulate(arrivals(7, kCount, rho / 100, 100, false), 1);
        EXPECT_NEAR(fixed.mean / md1_wait(rho / 100, 100), 1, 0.03) << "M/D/1 at " << rho;
        EXPECT_NEAR(fixed.utilisation, rho, 0.01);
        for (const int servers : {1, 2, 4, 8}) {
            const double rate = rho * servers / 100;
            const auto varied = simulate(arrivals(11, kCount, rate, 100, true), servers);
            // Where hardly anybody waits, a few who do are the mean.
            const double expected = erlang_c_wait(rate, 100, servers);
            EXPECT_NEAR(varied.mean, expected, 0.06 * expected + 0.05) << "M/M/" << servers << " at " << rho;
        }
    }
}

// In an M/M/1 the wait is above t with the probability rho e^(-(mu - lambda) t) (Kleinrock 1975, 5.10): its
// percentiles.
TEST(AdviceQueue, percentilesAreThoseOfTheDistribution) {
    constexpr double kRho = 0.7, kWork = 100;
    const auto waits = simulate(arrivals(3, 400'000, kRho / kWork, kWork, true), 1);
    const auto at = [&](double share) { return std::log(kRho / (1 - share)) * kWork / (1 - kRho); };
    EXPECT_NEAR(waits.p50 / at(0.5), 1, 0.05);
    EXPECT_NEAR(waits.p95 / at(0.95), 1, 0.05);
}

TEST(AdviceQueue, percentileTakesTheNearestRank) {
    std::vector<double> values = {5, 1, 4, 2, 3};
    EXPECT_EQ(percentile(values, 0.5), 3);
    EXPECT_EQ(percentile(values, 0.95), 5);
    EXPECT_EQ(percentile(values, 0), 1);
    std::vector<double> none;
    EXPECT_EQ(percentile(none, 0.5), 0);
}

}  // namespace tandem::advice
