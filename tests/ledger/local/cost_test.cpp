// What holds of every machine, tariff and time, by seeded draws; and the calendar's odd days.
#include "ledger/local/cost.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/splitmix.h"
#include "base/time_text.h"
#include "ledger/local/hours.h"

namespace tandem::ledger::local {
namespace {

constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;

std::int64_t at(std::string_view text) {
    return *time_from(text);
}

class Drawn {
  public:
    explicit Drawn(std::uint64_t seed) : random_(seed) {}
    std::int64_t upto(std::int64_t most) {
        return static_cast<std::int64_t>(random_.next() % (static_cast<std::uint64_t>(most) + 1));
    }
    config::Hardware machine() {
        config::Hardware machine;
        machine.id = "m";
        machine.price = Money::from_micros(upto(20'000'000'000));
        machine.residual = Money::from_micros(upto(machine.price.micros()));
        machine.bought = at("2025-01-01") + upto(500 * kDay);
        machine.life_months = static_cast<int>(1 + upto(120));
        machine.share = upto(config::kMillion);
        machine.idle_watts = upto(500'000'000);
        machine.busy_watts = upto(2'000'000'000);
        machine.cost_of_capital = upto(20'000'000);
        return machine;
    }
    config::Energy energy() {
        config::Energy energy;
        energy.tariff = Money::from_micros(upto(1'000'000));
        energy.zone = upto(1) == 0 ? "Europe/Berlin" : "America/St_Johns";
        energy.cooling = config::kMillion + upto(1'000'000);
        for (auto i = upto(3); i > 0; --i) {
            config::TariffWindow window;
            window.from = static_cast<int>(upto(95) * 15);
            window.to = static_cast<int>((upto(95) + 1) * 15);
            if (window.to == window.from) continue;
            window.days = static_cast<std::uint8_t>(upto(127));
            window.price = Money::from_micros(upto(1'000'000));
            energy.windows.push_back(window);
        }
        return energy;
    }
    Quarters quarters(Span month) {
        Quarters list;
        for (auto at = month.start - kQuarter; at < month.end + kQuarter; at += kQuarter)
            if (upto(2) > 0) list.push_back({at, upto(400'000'000'000), upto(1) > 0 ? kQuarter : upto(kQuarter)});
        return list;
    }
    Times times(Span month) {
        Times times;
        for (auto i = upto(200); i > 0; --i) {
            const auto start = month.start - kDay + upto(33 * kDay);
            times.push_back({start, start + upto(6 * kHour)});
        }
        return merged(std::move(times));
    }

  private:
    SplitMix64 random_;
};

TEST(LocalCost, UsedAndIdleAddUpToTheTotalToTheMicroUnit) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Drawn drawn(seed);
        const auto machine = drawn.machine();
        const auto month = month_at(at("2025-01-01") + drawn.upto(700) * kDay);
        const auto from = month.start - kDay + drawn.upto(10 * kDay);
        const auto until = from + drawn.upto(month.end - month.start + kDay);
        const auto energy = drawn.energy();
        const auto times = drawn.times(month);
        const auto cost =
            cost_of(machine, energy, month, {from, until}, times, seed % 2 == 0 ? drawn.quarters(month) : Quarters{});
        ASSERT_EQ(cost.used() + cost.idle(), cost.depreciation + cost.capital + cost.energy_busy + cost.energy_idle);
        ASSERT_GE(cost.idle(), Money{}) << seed;
        ASSERT_GE(cost.used(), Money{}) << seed;
        ASSERT_LE(cost.busy_ms, cost.wall_ms) << seed;
        ASSERT_LE(cost.hardware_used, cost.hardware()) << seed;
        std::vector<std::int64_t> weights(static_cast<std::size_t>(1 + drawn.upto(40)));
        for (auto& weight : weights) weight = drawn.upto(1'000'000);
        weights.front() += 1;
        Money sum;
        for (const auto part : split(cost.used(), weights)) {
            ASSERT_GE(part, Money{});
            sum += part;
        }
        ASSERT_EQ(sum, cost.used()) << seed;
    }
}

TEST(LocalCost, MonthsOfALifeAddUpToWhatItLoses) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Drawn drawn(seed);
        const auto machine = drawn.machine();
        Money sum;
        auto month = month_at(machine.bought);
        EXPECT_EQ(depreciation_of(machine, month_at(month.start - 1)), Money{});
        for (int i = 0; i < machine.life_months; ++i) {
            sum += depreciation_of(machine, month);
            month = month_at(month.end);
        }
        EXPECT_EQ(depreciation_of(machine, month), Money{});
        EXPECT_EQ(capital_of(machine, month), Money{});
        EXPECT_EQ(sum, part_of(machine.price - machine.residual, machine.share, config::kMillion)) << seed;
    }
}

TEST(LocalCost, AWindowGoesByItsZonesClockOnTheDaysThatItChanges) {
    config::Energy energy;
    energy.tariff = Money::from_micros(340'000);
    energy.zone = "Europe/Berlin";
    energy.windows = {{.from = 22 * 60, .to = 6 * 60, .price = Money::from_micros(220'000)}};
    const auto night = [&](std::string_view from, std::string_view to) {
        std::int64_t ms = 0;
        for (const auto& band : bands_of(energy, {at(from), at(to)}))
            if (band.per_kwh == Money::from_micros(220'000)) ms += band.span.end - band.span.start;
        return ms / kHour;
    };
    EXPECT_EQ(night("2026-03-27T12:00:00Z", "2026-03-28T12:00:00Z"), 8);
    EXPECT_EQ(night("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 7);
    EXPECT_EQ(night("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 9);
    energy.windows[0].days = 1U << 6U;  // that begin on a Saturday
    EXPECT_EQ(night("2026-03-27T12:00:00Z", "2026-03-28T12:00:00Z"), 0);
    EXPECT_EQ(night("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"), 7);
}

TEST(LocalCost, MonthsHaveTheLengthThatTheyHave) {
    const auto days = [](std::string_view text) {
        const auto month = month_at(at(text));
        return (month.end - month.start) / kDay;
    };
    EXPECT_EQ(days("2026-02-28T23:59:59Z"), 28);
    EXPECT_EQ(days("2028-02-29"), 29);
    EXPECT_EQ(days("2026-04-01"), 30);
    EXPECT_EQ(days("2026-12-31T23:59:59Z"), 31);
}

TEST(LocalCost, BoundsOfTheConfigDoNotOverflow) {
    config::Hardware machine;
    machine.price = Money::from_micros(1'000'000'000 * config::kMillion);
    machine.life_months = 1;
    machine.bought = at("2026-03-01");
    machine.idle_watts = machine.busy_watts = config::kMillion * config::kMillion;
    machine.cost_of_capital = 1'000 * config::kMillion;
    config::Energy energy;
    energy.tariff = Money::from_micros(1'000 * config::kMillion);
    energy.cooling = 100 * config::kMillion;
    const auto month = month_at(machine.bought);
    const auto cost = cost_of(machine, energy, month, month, {{month.start, month.start + kHour}});
    EXPECT_EQ(cost.depreciation, machine.price);
    EXPECT_EQ(cost.energy_busy.micros(), 1'000LL * 1'000 * 100 * config::kMillion);
    EXPECT_EQ(cost.used() + cost.idle(), cost.total());
}

TEST(LocalCost, WholeQuartersThatWereMeasuredTakeThePlaceOfTheModel) {
    config::Hardware machine;
    machine.bought = at("2026-03-01");
    machine.share = 500'000;
    machine.idle_watts = 60 * config::kMillion;
    machine.busy_watts = 180 * config::kMillion;
    machine.measure.source = config::Measure::Source::shelly;
    config::Energy energy;
    energy.tariff = Money::from_micros(1'000'000);
    const auto month = month_at(machine.bought);
    const auto until = month.start + kHour;
    // A third of the first quarter is busy: 5 min x 180 W and 10 min x 60 W weigh 3 to 2.
    const Times busy = {{month.start, month.start + 300'000}};
    const Quarters one = {{month.start, 100 * kHour * 1'000, kQuarter}};  // 100 Wh
    auto cost = cost_of(machine, energy, month, {month.start, until}, busy, one);
    EXPECT_EQ(cost.energy_source(), "partly measured");
    EXPECT_EQ(cost.measured_wh, 100);
    EXPECT_EQ(cost.energy_busy, Money::from_micros(60'000));               // 60 Wh
    EXPECT_EQ(cost.energy_idle, Money::from_micros(20'000 + 45'000 / 2));  // 40 Wh, and 45 min x 60 W, x share
    Quarters all;
    for (int i = 0; i < 4; ++i) all.push_back({month.start + i * kQuarter, 25 * kHour * 1'000, kQuarter});
    cost = cost_of(machine, energy, month, {month.start, until}, busy, all);
    EXPECT_EQ(cost.energy_source(), "measured");
    EXPECT_EQ(cost.energy_busy, Money::from_micros(15'000));
    EXPECT_EQ(cost.energy_idle, Money::from_micros(85'000 / 2));
    // What covers a part of a quarter is not believed for all of it.
    cost =
        cost_of(machine, energy, month, {month.start, until}, busy, {{month.start, 100 * kHour * 1'000, kQuarter / 2}});
    EXPECT_EQ(cost.energy_source(), "modelled");
    // Counters of processors leave the rest to the model.
    machine.measure.source = config::Measure::Source::rapl;
    machine.measure.rest_watts = 40 * config::kMillion;
    cost = cost_of(machine, energy, month, {month.start, until}, busy, all);
    EXPECT_EQ(cost.energy_source(), "partly measured");
    EXPECT_EQ(cost.measured_wh, 100);
    EXPECT_EQ(cost.energy_busy, Money::from_micros(21'000));  // (25 + 10) Wh x 3 / 5
    EXPECT_EQ(cost.energy_idle, Money::from_micros((140'000 - 21'000) / 2));
}

TEST(LocalCost, AnAnswerOverAChangeOfPriceHasBoth) {
    config::Config config;
    config.hardware.emplace_back();
    config.hardware[0].id = "m";
    config.hardware[0].busy_watts = 1'000 * config::kMillion;
    config.hardware[0].providers = {"lab"};
    config.energy.tariff = Money::from_micros(300'000);
    config.energy.windows = {{.from = 22 * 60, .to = 24 * 60, .price = Money::from_micros(100'000)}};
    const auto cost = cost_of_answer(config, "lab", at("2026-03-03T21:30:00Z"), kHour);
    ASSERT_TRUE(cost);
    EXPECT_EQ(cost->energy, Money::from_micros(200'000));
    EXPECT_EQ(cost->hardware, Money{});
    EXPECT_FALSE(cost_of_answer(config, "far", 0, kHour));
}

TEST(LocalCost, NothingIsSplitWhereNobodyHasAPart) {
    const std::vector<std::int64_t> none = {0, 0};
    EXPECT_EQ(split(Money::from_micros(5), none), (std::vector<Money>{{}, {}}));
    EXPECT_TRUE(split(Money::from_micros(5), {}).empty());
    EXPECT_EQ(part_of(Money::from_micros(5), 1, 0), Money{});
}

TEST(LocalHours, AreReadAndWrittenAsPeopleSayThem) {
    EXPECT_EQ(work_from("1.5h"), 5'400'000);
    EXPECT_EQ(work_from("90m"), 5'400'000);
    EXPECT_EQ(work_from("0.25 h"), 900'000);
    EXPECT_EQ(work_from("1000h"), 1'000 * kHour);
    for (const auto* wrong : {"", "h", "1", "-1h", "0h", "0.0000001h", "1001h", "1e3h", "nan h", "1.5d", "1,5h"})
        EXPECT_FALSE(work_from(wrong)) << wrong;
    EXPECT_EQ(hours_text(5'400'000), "1.5");
    EXPECT_EQ(hours_text(36'000'000), "10");
    EXPECT_EQ(cost_of_work(5'400'000, Money::from_micros(50'000'000)), Money::from_micros(75'000'000));
}

}  // namespace
}  // namespace tandem::ledger::local
