#include "experiment/statistics.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

namespace tandem::experiment {
namespace {

constexpr std::size_t kMinimum = 30;  // of each arm, as an experiment's minimum is by default

constexpr unsigned kExperiments = 1'000;  // docs/measurements.md has 2,000

using Draw = std::function<double(std::mt19937_64&)>;

// How many of kExperiments A/A experiments, looked at after every sample up to 1,000, ever say that there is a
// difference.
double false_alarms(double share, const Draw& draw) {
    int alarms = 0;
    for (unsigned seed = 0; seed < kExperiments; ++seed) {
        std::mt19937_64 random(seed * 7919 + 11);
        Effect effect(share);
        for (int i = 0; i < 1'000; ++i) {
            effect.add(std::uniform_real_distribution<>()(random) < share, draw(random));
            if (std::min(effect.count(true), effect.count(false)) < kMinimum) continue;
            if (!effect.interval().excludes_zero()) continue;
            ++alarms;
            break;
        }
    }
    return alarms / static_cast<double>(kExperiments);
}

TEST(Effect, raises_no_false_alarm_more_often_than_promised_however_often_it_is_looked_at) {
    const std::pair<const char*, Draw> cases[] = {
        {"good or bad, even", [](auto& r) { return std::bernoulli_distribution(0.5)(r) ? 1.0 : 0.0; }},
        {"good or bad, 0.9", [](auto& r) { return std::bernoulli_distribution(0.9)(r) ? 1.0 : 0.0; }},
        {"rare faults, 0.03", [](auto& r) { return std::bernoulli_distribution(0.03)(r) ? 1.0 : 0.0; }},
        {"seconds, lognormal", [](auto& r) { return std::lognormal_distribution(0.0, 1.0)(r); }},
        {"cost, heavy tail", [](auto& r) { return std::lognormal_distribution(0.0, 1.5)(r); }},
    };
    for (const auto& [name, draw] : cases)
        for (const double share : {0.5, 0.2}) {
            const double alarms = false_alarms(share, draw);
            fmt::print("{:<20} share {:.1f}: {:.2f} % of {} A/A experiments\n", name, share, alarms * 100,
                       kExperiments);
            EXPECT_LE(alarms, 0.05) << name << " " << share;
        }
}

// The test above could pass with intervals that never end: a plain 95 % interval must fail it, and a difference be
// found.
TEST(Effect, finds_a_difference_and_a_plain_interval_would_not_do) {
    int plain_alarms = 0, found = 0, right = 0;
    for (unsigned seed = 0; seed < 400; ++seed) {
        std::mt19937_64 random(seed + 5);
        Effect effect(0.5);
        double sum[2] = {0, 0}, n[2] = {0, 0};
        bool plain = false, seen = false;
        for (int i = 0; i < 1'000; ++i) {
            const int arm = std::bernoulli_distribution(0.5)(random) ? 1 : 0;
            const double same = std::bernoulli_distribution(0.5)(random) ? 1 : 0;
            sum[arm] += same;
            ++n[arm];
            effect.add(arm == 1, std::bernoulli_distribution(arm == 1 ? 0.8 : 0.6)(random) ? 1 : 0);
            if (std::min(n[0], n[1]) < kMinimum) continue;
            const double a = sum[0] / n[0], b = sum[1] / n[1];
            plain = plain || std::abs(a - b) > 1.96 * std::sqrt(a * (1 - a) / n[0] + b * (1 - b) / n[1]);
            seen = seen || effect.interval().low > 0;
        }
        plain_alarms += plain ? 1 : 0;
        found += seen ? 1 : 0;
        const auto interval = effect.interval();
        right += interval.low <= 0.2 && 0.2 <= interval.high ? 1 : 0;
    }
    fmt::print("plain intervals: {} false alarms of 400; 0.8 against 0.6 found in {} of 400\n", plain_alarms, found);
    EXPECT_GT(plain_alarms, 60);
    EXPECT_GT(found, 390);
    EXPECT_GE(right, 380);
}

TEST(MeanSequence, is_wide_open_at_first_and_narrows) {
    MeanSequence sequence;
    EXPECT_FALSE(sequence.interval().excludes_zero());
    sequence.add(1);
    EXPECT_FALSE(sequence.interval().excludes_zero());
    double width = 1e9;
    for (int i = 0; i < 6; ++i) {
        for (int k = 0; k < 100; ++k) sequence.add(k % 2);
        const auto interval = sequence.interval();
        EXPECT_LT(interval.high - interval.low, width);
        width = interval.high - interval.low;
    }
    EXPECT_NEAR(sequence.mean(), 0.5, 0.01);
}

TEST(Kappa, is_cohens) {
    // Cohen's own kind of table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no give 0.4.
    std::vector<std::pair<int, int>> verdicts;
    for (const auto& [count, one, other] : {std::tuple(20, 1, 1), {5, 1, 0}, {10, 0, 1}, {15, 0, 0}})
        verdicts.insert(verdicts.end(), static_cast<std::size_t>(count), {one, other});
    EXPECT_NEAR(*kappa(verdicts), 0.4, 1e-9);
    EXPECT_NEAR(*kappa({{1, 1}, {0, 0}, {-1, -1}}), 1, 1e-9);
    EXPECT_LT(*kappa({{1, 0}, {0, 1}}), 0);
    EXPECT_FALSE(kappa({}));
    EXPECT_FALSE(kappa({{1, 1}, {1, 1}}));
}

}  // namespace
}  // namespace tandem::experiment
