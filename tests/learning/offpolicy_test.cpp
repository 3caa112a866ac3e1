#include "learning/offpolicy.h"

#include <gtest/gtest.h>

#include <random>

namespace tandem::learning {
namespace {

// Two models and requests of two kinds; the policy that made the log tries the second one a tenth of the time.
struct World {
    static double truth(bool hard, bool second) { return hard ? (second ? 0.85 : 0.3) : (second ? 0.9 : 0.8); }
    // The other policy sends what is hard to the second.
    static double target(bool hard, bool second) { return hard == second ? 1 : 0; }

    std::mt19937_64 random;
    double wrong = 0;  // how wrong the model of outcomes is

    bool chance(double p) { return std::uniform_real_distribution<double>(0, 1)(random) < p; }
    std::vector<Logged> log(int decisions, double tried = 0.1) {
        std::vector<Logged> result;
        for (int i = 0; i < decisions; ++i) {
            const bool hard = chance(0.4), second = chance(tried);
            auto believed = [&](bool which) { return std::clamp(truth(hard, which) + wrong, 0.0, 1.0); };
            result.push_back({second ? tried : 1 - tried, target(hard, second), chance(truth(hard, second)) ? 1.0 : 0.0,
                              believed(second), believed(hard)});
        }
        return result;
    }
};
constexpr double kTruth = 0.4 * 0.85 + 0.6 * 0.8;

TEST(OffPolicy, interval_covers_the_truth) {
    for (const double wrong : {0.0, -0.2}) {
        int covered = 0;
        double error = 0;
        constexpr int kLogs = 2000;
        World world{std::mt19937_64(17), wrong};
        for (int i = 0; i < kLogs; ++i) {
            const auto result = estimate(world.log(800));
            covered += result.low <= kTruth && kTruth <= result.high ? 1 : 0;
            error += result.mean - kTruth;
        }
        RecordProperty(wrong == 0 ? "coverage" : "coverage_with_a_wrong_model", covered * 1000 / kLogs);
        EXPECT_GE(covered, kLogs * 93 / 100) << wrong;
        EXPECT_NEAR(error / kLogs, 0, 0.005) << "no bias, even where the model of outcomes is wrong";
    }
}

TEST(OffPolicy, warns_where_the_other_policy_does_what_was_never_tried) {
    World world{std::mt19937_64(3)};
    EXPECT_FALSE(estimate(world.log(2000)).thin);
    EXPECT_TRUE(estimate(world.log(100, 0.02)).thin) << "few decisions";
    auto never = world.log(2000);
    for (auto& one : never) one.target = 0;
    EXPECT_TRUE(estimate(never).thin);
    EXPECT_TRUE(estimate({}).thin);
}

}  // namespace
}  // namespace tandem::learning
