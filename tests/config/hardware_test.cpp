#include "config/hardware.h"

#include <gtest/gtest.h>

#include "config/config.h"

namespace tandem::config {
namespace {

constexpr std::string_view kTwo =
    "providers: { a: { kind: openai, zone: local, base_url: 'http://127.0.0.1:1/v1' }, b: { kind: engine }, c: { kind: "
    "openai, zone: cloud, base_url: 'https://c.example/v1' } }\nmodels: { m: { provider: a } }\n";

Result<Config> read(const std::string& text) {
    return parse(text, "tandem.yaml", [](const std::string&) { return std::optional<std::string>(); });
}

std::string problems(const std::string& text) {
    const auto config = read(std::string(kTwo) + text);
    return config ? "" : config.error().message;
}

void expect(const std::string& text, std::string_view problem) {
    EXPECT_NE(problems(text).find(problem), std::string::npos) << problems(text);
}

TEST(Hardware, is_read_in_exact_decimals) {
    const auto config = read(
        "hardware: { pc: { price: 1999.99, bought: 2026-03-01, life: 4 years, residual: 200, share: 0.333333, "
        "idle_watts: 61.5, busy_watts: 450, cost_of_capital_percent: 4.25 } }\n"
        "energy: { tariff: 0.3412, cooling: 1.15, time_zone: Europe/Berlin, windows: [{ from: 22:15, to: 06:00, price: "
        "0.2, days: [monday, sunday] }] }\nhours: { rate: 50 }\n");
    ASSERT_TRUE(config) << config.error().message;
    const auto& machine = config->hardware.at(0);
    EXPECT_EQ(machine.price, Money::from_micros(1'999'990'000));
    EXPECT_EQ(machine.bought, 1'772'323'200'000);
    EXPECT_EQ(machine.life_months, 48);
    EXPECT_EQ(machine.share, 333'333);
    EXPECT_EQ(machine.idle_watts, 61'500'000);
    EXPECT_EQ(machine.cost_of_capital, 4'250'000);
    EXPECT_EQ(machine.providers, std::vector<std::string>{"home"});
    EXPECT_EQ(config->energy.tariff, Money::from_micros(341'200));
    EXPECT_EQ(config->energy.cooling, 1'150'000);
    ASSERT_EQ(config->energy.windows.size(), 1U);
    EXPECT_EQ(config->energy.windows[0],
              (TariffWindow{.from = 1335, .to = 360, .days = 0b11, .price = Money::from_micros(200'000)}));
    EXPECT_EQ(config->hours.rate, Money::from_micros(50'000'000));
}

TEST(Hardware, of_which_there_is_none_costs_nothing_that_is_known) {
    const auto config = read("");
    ASSERT_TRUE(config);
    EXPECT_TRUE(config->hardware.empty());
    EXPECT_FALSE(config->energy.tariff);
    EXPECT_FALSE(config->hours.rate);
}

TEST(Hardware, that_is_wrong_is_said_with_what_is_right) {
    expect("hardware: { pc: { price: 100 } }", "'life' is missing");
    expect("hardware: { pc: { price: 100 } }", "'bought' is missing");
    expect("hardware: { pc: { price: 100, life: 48, bought: 2026-03-01 } }",
           "hardware.pc.life: expected a time such as 48 months or 4 years (100 at most), got '48'");
    expect("hardware: { pc: { life: 101 years } }", "100 at most");
    expect("hardware: { pc: { life: 0 months } }", "100 at most");
    expect("hardware: { pc: { price: 5, residual: 6, life: 1 year, bought: 2026-03-01 } }", "is more than the price");
    expect("hardware: { pc: { wats: 5 } }", "unknown key 'wats' in hardware.pc");
    expect("hardware: { pc: { busy_wats: 5 } }", "did you mean 'busy_watts'?");
    expect("hardware: { pc: { share: 1.5 } }", "expected a number from 0 to 1 ");
    for (const auto* number : {"-1", "1e300", ".nan", "NaN", ".inf", "1_0", "0.1234567", "lots"})
        expect(std::string("hardware: { pc: { share: ") + number + " } }", "hardware.pc.share: expected a number");
    expect("hardware: { pc: { price: -5, life: 1 year, bought: 2026-03-01 } }", "hardware.pc.price");
    expect("hardware: { pc: { price: 2000000000, life: 1 year, bought: 2026-03-01 } }", "is not an amount of money");
    expect("hardware: { pc: { bought: 2026-02-30 } }", "expected a time such as");
    expect("hardware: { pc: { busy_watts: 5 } }", "energy.tariff is missing");
    expect("hardware: { pc: { providers: [c] } }", "no local provider 'c'");
    expect("hardware: { pc: { providers: [aa] } }", "no local provider 'aa'");
    expect("hardware: { x: {}, y: { providers: [a] } }", "x.providers is missing");
    expect("hardware: { x: { providers: [a, b] }, y: { providers: [a] } }", "the provider 'a' stands at x and at y");
    expect("hardware: [1]", "must be a mapping");
}

TEST(Measure, that_is_wrong_is_said_with_what_is_right) {
    const auto measure = [](const std::string& what) {
        return "energy: { tariff: 1 }\nhardware: { pc: { measure: { " + what + " } } }";
    };
    EXPECT_EQ(problems(measure("source: rapl, rest_watts: 35")), "");
    EXPECT_EQ(problems(measure("source: shelly, url: 'http://192.168.1.20/', channel: 1")), "");
    EXPECT_EQ(problems(measure("source: home-assistant, url: 'http://h:8123', entity: sensor.pc_energy, token: abc")),
              "");
    expect("hardware: { pc: { measure: { source: rapl, rest_watts: 35 } } }", "energy.tariff is missing");
    expect(measure("rest_watts: 35"), "'source' is missing");
    expect(measure("source: shely"), "did you mean 'shelly'?");
    EXPECT_EQ(problems(measure("source: nvml, rest_watts: 90")), "");
    EXPECT_EQ(problems(measure("source: rapl+nvml, rest_watts: 35")), "");
    expect(measure("source: rapl"), "'rest_watts' is missing: what the machine draws beside its processors");
    expect(measure("source: nvml"), "'rest_watts' is missing: what the machine draws beside its cards");
    expect(measure("source: rapl+nvml"), "beside its processors and cards");
    expect(measure("source: shelly, url: 'http://p', rest_watts: 35"), "is for rapl");
    expect(measure("source: shelly"), "expected the address of the plug");
    expect(measure("source: shelly, url: 'http://u:p@plug'"), "without a query or a user");
    expect(measure("source: shelly, url: 'http://plug:99999'"), "without a query or a user");
    expect(measure("source: tasmota, url: 'http://p', entity: sensor.x"), "is for home-assistant");
    expect(measure("source: home-assistant, url: 'http://p'"), "is missing: the sensor of energy");
    for (const auto* entity : {"../config", "sensor", "sensor.", ".x", "7.5", "sensor.Pc"})
        expect(measure("source: home-assistant, url: 'http://p', entity: '" + std::string(entity) + "'"),
               "expected a name such as");
    expect("energy: { tariff: 1, windows: [{ from: '', to: 06:00, price: 1 }] }", "expected a quarter of an hour");
    expect("energy: { tariff: 1, every: 5m }", "expected a time from 1s to 30s");
    expect(
        "energy: { tariff: 1 }\nhardware: { x: { providers: [a], measure: { source: rapl, rest_watts: 1 } }, y: { "
        "providers: [b], measure: { source: rapl, rest_watts: 1 } } }",
        "stand at two");
}

TEST(Energy, that_is_wrong_is_said_with_what_is_right) {
    expect("energy: { tariff: 2000 }", "at most 1000");
    expect("energy: { tariff: 1, cooling: 0.9 }", "expected a number from 1 to 100");
    expect("energy: { tariff: 1, windows: [{ from: 22:10, to: 06:00, price: 1 }] }", "a quarter of an hour");
    expect("energy: { tariff: 1, windows: [{ from: 25:00, to: 06:00, price: 1 }] }", "a quarter of an hour");
    expect("energy: { tariff: 1, windows: [{ from: 06:00, to: 06:00, price: 1 }] }", "is the same as `from`");
    expect("energy: { tariff: 1, windows: [{ from: 05:00, to: 06:00 }] }", "'price' is missing");
    expect("energy: { tariff: 1, windows: [{ to: 06:00, price: 1 }] }", "'from' is missing");
    expect("energy: { tariff: 1, windows: [{ from: 05:00, to: 06:00, price: 1, days: [mondy] }] }",
           "did you mean 'monday'?");
    expect("energy: { windows: [{ from: 05:00, to: 06:00, price: 1 }] }", "'tariff' is missing");
    expect("energy: { tariff: 1, time_zone: Europe/Berlni }", "did you mean 'Europe/Berlin'?");
    expect("hours: { rate: 2000000 }", "at most 1000000");
    expect("hours: { rat: 5 }", "did you mean 'rate'?");
}

}  // namespace
}  // namespace tandem::config
