#include "cost/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cost/answer.h"
#include "cost/simulate.h"

namespace tandem::cost {

namespace {

Option option_of(const std::string& yaml) {
    auto profile = read_profile(yaml, "test.yaml");
    EXPECT_TRUE(profile.has_value()) << (profile ? "" : profile.error().message);
    return profile ? profile->options.front() : Option();
}

TEST(CostFields, StandInTheOrderOfTheirNumbersAndInTheDocs) {
    const char* source = std::getenv("TANDEM_SOURCE");
    ASSERT_NE(source, nullptr);
    std::ifstream file(std::string(source) + "/docs/break-even.md");
    const std::string docs{std::istreambuf_iterator<char>(file), {}};
    for (std::size_t i = 0; i < kFields; ++i) {
        const auto& row = field_rows()[i];
        EXPECT_EQ(static_cast<std::size_t>(row.field), i);
        EXPECT_NE(docs.find("`" + std::string(row.key) + "`"), std::string::npos) << row.key;
    }
}

TEST(CostNumber, IsKeptAsItWasWritten) {
    EXPECT_EQ(*read_number("0.1", false) * 3, Exact(3, 10));
    EXPECT_EQ(*read_number("1.25e-7", false), Exact(125, 1'000'000'000));
    EXPECT_EQ(*read_number("300_000_000", false), Exact(300'000'000));
    EXPECT_EQ(*read_number("1.5B", true), Exact(1'500'000'000));
    EXPECT_EQ(*read_number("-2", false), Exact(-2));
    for (const auto* wrong : {"", ".", "-", "1.2.3", "1e", "1e99", "0x10", "12 ", "1__0", "_1", "1_", "nan", "1M"})
        EXPECT_FALSE(read_number(wrong, false).has_value()) << wrong;
    EXPECT_FALSE(read_number(std::string(61, '9'), false).has_value());
}

TEST(CostNumber, IsRoundedHalfToEvenWhereItIsShown) {
    EXPECT_EQ(decimal(Exact(1, 8), 2), "0.12");
    EXPECT_EQ(decimal(Exact(3, 8), 2), "0.38");
    EXPECT_EQ(decimal(Exact(-2, 3), 3), "-0.667");
    EXPECT_EQ(decimal(Exact(-1, 1000), 2), "0");
    EXPECT_EQ(decimal(Exact(5, 2), 0), "2");
    EXPECT_EQ(decimal(Exact(1200), 2), "1200");
}

// 1,000 tokens a second at half of its speed over 730 hours are 1,314,000,000 tokens.
TEST(CostMonth, TakesWholeMachinesAsAStaircase) {
    const auto machines = [](const std::string& tokens) {
        const auto in = likely_inputs(option_of("tokens: {output: " + tokens +
                                                "}\ncloud: {output: 1}\nhardware: [{name: a, price: 100, life_months: "
                                                "10, throughput_output: 1000, max_utilisation: 0.5}]"));
        const Exact one = 1;
        const auto month = month_of(in, one, one);
        EXPECT_EQ(month.depreciation, month.machines * 10);
        EXPECT_EQ(month_of(as_doubles(in), 1.0, 1.0).machines, static_cast<double>(month.machines));
        return month.machines;
    };
    EXPECT_EQ(machines("0"), 1);
    EXPECT_EQ(machines("1314000000"), 1);
    EXPECT_EQ(machines("1314000010"), 2);
    EXPECT_EQ(machines("13140000000"), 10);
}

// A machine of 10 a month does 1,314M tokens, for which the cloud takes 13.14: with 30 of other costs it takes
// n machines with n x (13.14 - 10) >= 30, which are 10, at (30 + 10 x 10) / 0.01 a million = 13,000M tokens.
TEST(CostMonth, BreaksEvenOnTheStaircaseAndNotOnTheLine) {
    const std::string rest =
        "}\nhardware: [{name: a, price: 100, life_months: 10, throughput_output: 1000, max_utilisation: 0.5, "
        "other_per_month: 30}]";
    const auto one = answer(option_of("tokens: {output: 1B}\ncloud: {output: 0.01" + rest), 1, 1);
    EXPECT_EQ(*one.derived.even_tokens, Exact(13'000'000'000));
    EXPECT_EQ(*one.derived.even_tokens_as_is, Exact(4'000'000'000));
    // At the answer itself both sides are equal.
    const auto there = answer(option_of("tokens: {output: 13B}\ncloud: {output: 0.01" + rest), 1, 1);
    EXPECT_EQ(there.month.cloud(), there.month.local());
    EXPECT_EQ(there.month.machines, 10);
    // A full machine that saves less than it costs never pays, however many there are.
    const auto never = answer(option_of("tokens: {output: 1B}\ncloud: {output: 0.007" + rest), 1, 1);
    EXPECT_FALSE(never.derived.even_tokens.has_value());
}

TEST(CostPayback, FollowsGrowthAndDeclineMonthByMonth) {
    const auto in =
        likely_inputs(option_of("horizon_months: 60\ntokens: {input: 100M, growth_percent: 2}\ncloud: "
                                "{input: 1, decline_percent: 30}\nhardware: [{name: a, price: 1500}]"));
    double saved = 0;
    std::optional<int> paid;
    for (int m = 0; m < 60; ++m) {
        saved += 100 * std::pow(1.02, m) * std::pow(0.7, m / 12.0);
        if (!paid && saved >= 1500) paid = m + 1;
    }
    const auto payback = payback_of(in);
    EXPECT_EQ(payback.cumulative, paid);
    EXPECT_NEAR(static_cast<double>(payback.gain), saved - 1500, 1e-6);
    EXPECT_NEAR(payback_of(as_doubles(in)).gain, saved - 1500, 1e-6);
}

TEST(CostPayback, BuysTheMachinesThatGrowthNeeds) {
    // What one machine can do, doubled each month: 1, 2, 4 and 8 machines.
    const auto in =
        likely_inputs(option_of("horizon_months: 4\nhours_per_month: 1\ntokens: {output: 3600, growth_percent: "
                                "100}\ncloud: {output: 0}\nhardware: [{name: a, price: 5, throughput_output: 1}]"));
    const auto payback = payback_of(in);
    EXPECT_EQ(payback.upfront, 5);
    EXPECT_EQ(payback.machines_at_the_end, 8);
    EXPECT_EQ(payback.gain, -40);
}

TEST(CostPayback, OfRentedMachinesIsAtOnceOrNever) {
    const auto payback = [](const std::string& rent) {
        return payback_of(
            likely_inputs(option_of("tokens: {output: 1M}\ncloud: {output: 10}\nhardware: [{name: a, "
                                    "rent_per_month: " +
                                    rent + "}]")));
    };
    EXPECT_EQ(*payback("9").simple, 0);
    EXPECT_EQ(*payback("9").cumulative, 1);
    EXPECT_FALSE(payback("10").simple.has_value());
    EXPECT_FALSE(payback("10").cumulative.has_value());
    EXPECT_FALSE(payback("11").cumulative.has_value());
}

TEST(CostPayback, OfALoadThatIsIdlePartOfTheTimeAddsUp) {
    const auto one =
        answer(option_of("tokens: {input: 50M, output: 5M}\ncloud: {input: 1, output: 4}\nhardware: [{name: a, "
                         "price: 2000, residual_value: 200, life_months: 30, share: 0.5, throughput_input: 1000, "
                         "throughput_output: 50, watts_idle: 50, watts_busy: 450, tariff_per_kwh: 0.25, "
                         "overhead_factor: 1.2, maintenance_percent: 6, rent_per_hour: 0.01}]"),
               1, 1);
    EXPECT_EQ(one.month.busy_hours, Exact(150'000, 3600));
    EXPECT_EQ(one.month.maintenance, Exact(5));
    EXPECT_EQ(one.month.rent, Exact(365, 100));
    EXPECT_EQ(one.month.depreciation, Exact(30));
    EXPECT_EQ(one.month.local(), one.month.running() + one.month.depreciation);
    EXPECT_EQ(*one.derived.local_per_million[0] * 50 + *one.derived.local_per_million[2] * 5, one.month.local());
}

// A machine of 1,200 with a life of 12 months pays in time exactly when it saves 100 a month or more, and the saving is
// triangular from 40 to 180 with its top at 90: P(saving >= 100) = (180 - 100)^2 / ((180 - 40) (180 - 90)).
TEST(CostSimulation, ComesToTheProbabilityThatIntegrationGives) {
    const auto option = option_of(
        "tokens: {output: 1M}\ncloud: {output: {low: 40, likely: 90, high: 180}}\n"
        "hardware: [{name: a, price: 1200, life_months: 12}]");
    const double truth = 80.0 * 80 / (140.0 * 90);
    for (const std::uint64_t seed : {1, 2, 3, 4, 5}) {
        const auto simulation = simulate(option, 100'000, seed);
        EXPECT_NEAR(simulation.standard_error, std::sqrt(truth * (1 - truth) / 100'000), 1e-5);
        EXPECT_NEAR(simulation.probability, truth, 4 * simulation.standard_error) << seed;
        // The mean of a triangular distribution is that of its three corners.
        EXPECT_NEAR(simulation.mean_gain, 12 * (40 + 90 + 180) / 3.0 - 1200, 12 * 4 * 29 / std::sqrt(100'000.0));
    }
}

TEST(CostSimulation, DrawsTheTriangleByItsInverse) {
    EXPECT_DOUBLE_EQ(triangular(2, 5, 10, 0), 2);
    EXPECT_DOUBLE_EQ(triangular(2, 5, 10, 3.0 / 8), 5);
    EXPECT_NEAR(triangular(2, 5, 10, 1 - 1e-15), 10, 1e-6);
    EXPECT_DOUBLE_EQ(triangular(2, 2, 2, 0.3), 2);
    EXPECT_DOUBLE_EQ(triangular(0, 0, 1, 0.75), 0.5);
}

TEST(CostSimulation, OfNoRangeIsCertain) {
    const auto simulation =
        simulate(option_of("tokens: {output: 1M}\ncloud: {output: 100}\nhardware: [{name: a, price: "
                           "1200, life_months: 12}]"),
                 100, 1);
    EXPECT_EQ(simulation.probability, 1);
    EXPECT_EQ(simulation.months[1], 12);
}

// In tenths that no double holds: 36 x 0.1 pays 3.6 in the 36th month, in both kinds of numbers.
TEST(CostSimulation, PaysInTheMonthInWhichTheFractionsPay) {
    const auto option =
        option_of("tokens: {output: 1M}\ncloud: {output: 0.1}\nhardware: [{name: a, price: 3.6, life_months: 36}]");
    EXPECT_EQ(payback_of(likely_inputs(option)).cumulative, 36);
    EXPECT_EQ(simulate(option, 10, 1).months[0], 36);
}

TEST(CostTornado, PutsTheLargestSwingFirst) {
    const auto bars =
        tornado(option_of("tokens: {output: 1M}\ncloud: {output: {low: 90, likely: 100, high: 110}}\nhourly_rate: 10\n"
                          "hardware: [{name: a, price: {low: 1000, likely: 1100, high: 1101}, life_months: 12, "
                          "work_hours_per_month: {low: 0, "
                          "likely: 0, high: 4}}]"));
    ASSERT_EQ(bars.size(), 3U);
    EXPECT_EQ(bars[0].field, Field::work_hours);
    EXPECT_EQ(bars[0].swing, 480);
    EXPECT_EQ(bars[1].field, Field::cloud_output);
    EXPECT_EQ(bars[1].swing, 240);
    EXPECT_EQ(bars[2].swing, 101);
    EXPECT_EQ(bars[2].at_low.cumulative, 10);
}

}  // namespace

}  // namespace tandem::cost
