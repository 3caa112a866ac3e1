// Whose turn it is.
#include "jobs/turns.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tandem::jobs {
namespace {

TEST(Turns, AFewAreAtWorkAndTheOwnersTakeTurns) {
    Turns turns({.at_work = 16, .at_work_of_owner = 4});
    std::vector<std::string> started;
    auto enter = [&](const std::string& owner, int i) {
        turns.enter(owner, [&started, id = owner + std::to_string(i)] { started.push_back(id); });
    };
    for (int i = 0; i < 58; ++i) enter("mallory", i);
    EXPECT_EQ(started.size(), 4U);
    EXPECT_EQ(turns.open_of("mallory"), 58U);
    for (const auto* owner : {"a", "b", "c", "d"})
        for (int i = 0; i < 3; ++i) enter(owner, i);
    EXPECT_EQ(started.size(), 16U);
    started.clear();
    turns.leave("mallory");
    turns.leave("mallory");
    turns.leave("a");
    EXPECT_EQ(started.size(), 2U) << "an owner has its share, however much room there is";
    turns.leave("nobody");
    while (turns.open_of("mallory") + turns.open_of("a") + turns.open_of("b") + turns.open_of("c") +
               turns.open_of("d") >
           0)
        for (const auto* owner : {"mallory", "a", "b", "c", "d"}) turns.leave(owner);
    EXPECT_EQ(started.size(), 54U) << "each is started once";
    enter("late", 0);
    EXPECT_EQ(started.back(), "late0");
}

}  // namespace
}  // namespace tandem::jobs
