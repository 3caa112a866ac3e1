#include "energy/meter.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "energy/plug.h"
#include "energy/rapl.h"
#include "ledger/local/measured.h"

namespace tandem::energy {
namespace {

namespace fs = std::filesystem;

std::int64_t taken(Meter& meter, std::int64_t now, const Counter& counter) {
    const auto drawn = meter.take(now, counter);
    return drawn ? drawn->uj : -1;
}

TEST(Meter, tells_what_was_drawn_between_two_looks) {
    Meter meter;
    EXPECT_EQ(taken(meter, 1'000, {5'000'000, 0}), -1);
    EXPECT_EQ(taken(meter, 2'000, {6'500'000, 0}), 1'500'000);
    const auto drawn = meter.take(12'000, {6'500'000, 0});
    ASSERT_TRUE(drawn);
    EXPECT_EQ(drawn->uj, 0);
    EXPECT_EQ(drawn->time, (Span{2'000, 12'000}));
}

TEST(Meter, a_counter_turns_over_at_its_own_range) {
    Meter meter;
    taken(meter, 0, {262'143'328'000, 262'143'328'850});
    EXPECT_EQ(taken(meter, 10'000, {5'000, 262'143'328'850}), 5'850);
    Meter other;
    taken(other, 0, {65'000'000, 65'532'610'987});
    EXPECT_EQ(taken(other, 10'000, {64'000'000, 0}), -1);  // it has no range, so it was set
}

TEST(Meter, begins_anew_where_nobody_knows_what_was_between) {
    Meter meter;
    taken(meter, 0, {0, 0});
    EXPECT_EQ(taken(meter, Meter::kLongestGap + 1, {1'000, 0}), -1);
    EXPECT_EQ(taken(meter, Meter::kLongestGap + 2, {1'001, 0}), 1);
    EXPECT_EQ(taken(meter, Meter::kLongestGap + 2, {1'002, 0}), -1);                // no time has passed
    EXPECT_EQ(taken(meter, 5, {1'003, 0}), -1);                                     // the clock was set back
    EXPECT_EQ(taken(meter, 1'005, {1'003 + 100'000'000'000, 0}), 100'000'000'000);  // 100 kW
    EXPECT_EQ(taken(meter, 2'005, {1'004 + 200'000'000'000, 0}), -1);               // more
    EXPECT_EQ(taken(meter, 3'005, {0, 1'000}), -1);                                 // from beyond its range
}

TEST(Quarters, parts_add_up) {
    using ledger::local::kQuarter;
    const auto parts = ledger::local::quarters_of({kQuarter - 1, 2 * kQuarter + 2}, 1'000'000'007);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].start, 0);
    EXPECT_EQ(parts[1].covered_ms, kQuarter);
    EXPECT_TRUE(parts[1].whole());
    EXPECT_FALSE(parts[2].whole());
    EXPECT_EQ(parts[0].uj + parts[1].uj + parts[2].uj, 1'000'000'007);
    EXPECT_TRUE(ledger::local::quarters_of({5, 5}, 1).empty());
    EXPECT_TRUE(ledger::local::quarters_of({-5, 5}, 1).empty());
}

class Powercap : public testing::Test {
  protected:
    void SetUp() override {
        folder = fs::temp_directory_path() / ("tandem-powercap-" + std::to_string(getpid()));
        fs::create_directories(folder);
    }
    void TearDown() override { fs::remove_all(folder); }
    void domain(const std::string& place, const std::string& name, const std::string& uj, const std::string& range) {
        fs::create_directories(folder / place);
        std::ofstream(folder / place / "name") << name << "\n";
        std::ofstream(folder / place / "energy_uj") << uj << "\n";
        std::ofstream(folder / place / "max_energy_range_uj") << range << "\n";
    }
    fs::path folder;
};

TEST_F(Powercap, has_the_packages_alone) {
    domain("intel-rapl:0", "package-0", "1000", "262143328850");
    domain("intel-rapl:0:0", "core", "600", "262143328850");
    domain("intel-rapl:0:1", "dram", "100", "65712999613");
    domain("intel-rapl:1", "package-1", "2000", "65532610987");
    domain("intel-rapl:2", "psys", "9000", "262143328850");
    domain("intel-rapl-mmio:0", "package-0", "1000", "262143328850");
    domain("dtpm", "package-7", "1", "2");
    const auto packages = read_packages(folder);
    ASSERT_TRUE(packages) << packages.error().message;
    ASSERT_EQ(packages->size(), 2U);
    EXPECT_EQ((*packages)[0].name, "intel-rapl:0");
    EXPECT_EQ((*packages)[0].counter.uj, 1'000);
    EXPECT_EQ((*packages)[1].counter.uj, 2'000);
    EXPECT_EQ((*packages)[1].counter.range_uj, 65'532'610'987);
}

TEST_F(Powercap, that_says_nothing_or_nonsense_is_an_error) {
    EXPECT_EQ(read_packages(folder).error().code, ErrorCode::not_found);
    EXPECT_EQ(read_packages(folder / "nowhere").error().code, ErrorCode::not_found);
    domain("intel-rapl:0", "package-0", "1000", "262143328850");
    for (const auto* wrong : {"", "-1", "lots", "1e9", "99999999999999999999"}) {
        domain("intel-rapl:1", "package-1", wrong, "262143328850");
        EXPECT_FALSE(read_packages(folder)) << wrong;
        domain("intel-rapl:1", "package-1", "5", wrong);
        EXPECT_FALSE(read_packages(folder)) << wrong;
    }
    domain("intel-rapl:1", "package-1", "5", "0");
    EXPECT_FALSE(read_packages(folder));
}

std::int64_t counted(config::Measure::Source source, std::string_view answer, int channel = 0) {
    config::Measure measure;
    measure.source = source;
    measure.channel = channel;
    measure.entity = "sensor.pc";
    const auto counter = counter_from(measure, answer);
    return counter ? counter->uj : -1;
}

TEST(Plug, says_its_counter_where_its_kind_has_it) {
    using Source = config::Measure::Source;
    EXPECT_EQ(
        counted(Source::shelly, R"({"id":0,"output":true,"apower":61.2,"aenergy":{"total":1234.567,"by_minute":[1]}})"),
        4'444'441'200'000);
    EXPECT_EQ(counted(Source::shelly_gen1, R"({"meters":[{"power":2.21,"total":439237},{"total":7}]})"),
              26'354'220'000'000);
    EXPECT_EQ(counted(Source::shelly_gen1, R"({"meters":[{"power":2.21,"total":439237},{"total":7}]})", 1),
              420'000'000);
    EXPECT_EQ(counted(Source::tasmota, R"({"StatusSNS":{"Time":"x","ENERGY":{"Total":12.34567,"Power":27}}})"),
              44'444'412'000'000);
    EXPECT_EQ(counted(Source::home_assistant, R"({"state":"12.5","attributes":{"unit_of_measurement":"kWh"}})"),
              45'000'000'000'000);
    EXPECT_EQ(counted(Source::home_assistant, R"({"state":"12.5","attributes":{"unit_of_measurement":"Wh"}})"),
              45'000'000'000);
}

TEST(Plug, that_says_something_else_is_an_error) {
    using Source = config::Measure::Source;
    for (const auto* answer :
         {"", "[]", "null", "nonsense", R"({"aenergy":{"total":-1}})", R"({"aenergy":{"total":"x"}})",
          R"({"aenergy":{"total":1e300}})", R"({"aenergy":{"total":NaN}})", R"({"aenergy":{}})",
          R"({"aenergy":{"total":1000000001}})"})
        EXPECT_EQ(counted(Source::shelly, answer), -1) << answer;
    EXPECT_EQ(counted(Source::shelly_gen1, R"({"meters":[]})"), -1);
    EXPECT_EQ(counted(Source::home_assistant, R"({"state":"61","attributes":{"unit_of_measurement":"W"}})"), -1);
    EXPECT_EQ(counted(Source::home_assistant, R"({"state":"unavailable","attributes":{"unit_of_measurement":"kWh"}})"),
              -1);
}

TEST(Plug, is_asked_where_its_kind_answers) {
    using Source = config::Measure::Source;
    config::Measure measure;
    measure.channel = 1;
    measure.entity = "sensor.pc_energy";
    const auto path = [&](Source source) {
        measure.source = source;
        return path_of(measure);
    };
    EXPECT_EQ(path(Source::shelly), "/rpc/Switch.GetStatus?id=1");
    EXPECT_EQ(path(Source::shelly_gen1), "/status");
    EXPECT_EQ(path(Source::tasmota), "/cm?cmnd=Status%2010");
    EXPECT_EQ(path(Source::home_assistant), "/api/states/sensor.pc_energy");
}

}  // namespace
}  // namespace tandem::energy
