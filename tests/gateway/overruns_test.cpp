#include "gateway/overruns.h"

#include <gtest/gtest.h>

#include "tests/support.h"

namespace tandem::gateway {
namespace {

TEST(Overruns, make_the_next_reservation_as_much_larger) {
    test::ManualClock clock;
    Overruns overruns;
    EXPECT_EQ(overruns.most("m", 4096, clock.steady()), 4096);
    overruns.note("m", 60'000, 4'096, clock.steady());
    EXPECT_EQ(overruns.most("m", 4'096, clock.steady()), 60'000);
    EXPECT_NEAR(static_cast<double>(overruns.most("m", 100, clock.steady())), 1'465, 2);
    EXPECT_EQ(overruns.most("other", 4096, clock.steady()), 4096);
}

TEST(Overruns, of_a_tiny_bound_make_no_large_answer_dear) {
    test::ManualClock clock;
    Overruns overruns;
    overruns.note("m", 120, 1, clock.steady());
    EXPECT_EQ(overruns.most("m", 2'000, clock.steady()), 2'119);
}

TEST(Overruns, are_forgotten_with_time_and_with_answers_within_their_bound) {
    test::ManualClock clock;
    Overruns overruns;
    overruns.note("m", 2'000, 1'000, clock.steady());
    clock.now += Overruns::kHalves;
    EXPECT_EQ(overruns.most("m", 1'000, clock.steady()), 1'500);
    for (int i = 0; i < 20; ++i) overruns.note("m", 900, 1'000, clock.steady());
    EXPECT_EQ(overruns.most("m", 1'000, clock.steady()), 1'000);
}

}  // namespace
}  // namespace tandem::gateway
