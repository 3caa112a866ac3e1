// How often the same failure of an engine is logged.
#include "engine/repeated_error.h"

#include <gtest/gtest.h>

namespace tandem::engine {
namespace {

TEST(RepeatedError, is_logged_when_it_changes_and_with_doubling_pauses_up_to_an_hour) {
    RepeatedError error;
    int logged = 0;
    // An engine that is not installed is tried every 30 seconds, for a day.
    for (int second = 0; second < 24 * 3600; second += 30)
        logged += error.is_to_be_logged("no binary", SteadyTime(seconds(second))) ? 1 : 0;
    EXPECT_EQ(logged, 7 + 22);  // after 0, 1, 3, 7, 15, 31 and 63 minutes, and then each hour
    EXPECT_EQ(error.pause(), RepeatedError::kLongestPause);
    EXPECT_TRUE(error.is_to_be_logged("no file", SteadyTime(seconds(24 * 3600))));
    EXPECT_FALSE(error.is_to_be_logged("no file", SteadyTime(seconds(24 * 3600 + 30))));
    EXPECT_EQ(error.pause(), RepeatedError::kFirstPause);
    error.forget();
    EXPECT_TRUE(error.is_to_be_logged("no file", SteadyTime(seconds(24 * 3600 + 60))));
}

}  // namespace
}  // namespace tandem::engine
