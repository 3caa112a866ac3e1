#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "base/log.h"

namespace tandem::log {
namespace {

class Zone {
  public:
    explicit Zone(const char* name) {
        setenv("TZ", name, 1);
        tzset();
    }
    ~Zone() {
        unsetenv("TZ");
        tzset();
    }
};

// Each in a thread's first look and after another minute: what is remembered of a minute is of that minute alone.
TEST(LogTime, is_local_with_its_offset_also_where_that_changes) {
    const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    EXPECT_EQ(time_text(1'774'745'999'999), "2026-03-29T01:59:59.999+01:00");
    EXPECT_EQ(time_text(1'774'746'000'000), "2026-03-29T03:00:00.000+02:00");
    EXPECT_EQ(time_text(1'774'745'940'007), "2026-03-29T01:59:00.007+01:00");
    EXPECT_EQ(time_text(1'774'746'059'001), "2026-03-29T03:00:59.001+02:00");
    EXPECT_EQ(time_text(-1), "1970-01-01T00:59:59.999+01:00");
    EXPECT_EQ(time_text(0), "1970-01-01T01:00:00.000+01:00");
}

TEST(LogTime, has_offsets_of_half_an_hour_and_west_of_Greenwich) {
    const Zone zone("NST3:30");
    EXPECT_EQ(time_text(1'774'749'612'345), "2026-03-28T22:30:12.345-03:30");
}

}  // namespace
}  // namespace tandem::log
