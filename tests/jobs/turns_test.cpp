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
        turns.enter(owner, owner + std::to_string(i),
                    [&started, id = owner + std::to_string(i)] { started.push_back(id); });
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

TEST(Turns, WhatIsTakenOutIsNotStartedAndLeavesTheRestInOrder) {
    Turns turns({.at_work = 1, .at_work_of_owner = 1});
    std::vector<std::string> started;
    for (const auto* id : {"a", "b", "c"}) turns.enter("alice", id, [&started, id] { started.emplace_back(id); });
    EXPECT_FALSE(turns.take_out("alice", "a")) << "it is at work";
    EXPECT_FALSE(turns.take_out("bob", "b"));
    EXPECT_TRUE(turns.take_out("alice", "b"));
    EXPECT_FALSE(turns.take_out("alice", "b"));
    turns.leave("alice");
    EXPECT_EQ(started, (std::vector<std::string>{"a", "c"}));
    turns.enter("alice", "d", [] { FAIL() << "it was taken out"; });
    EXPECT_TRUE(turns.take_out("alice", "d")) << "the last that waits, so that its owner has no turn any more";
    turns.leave("alice");
    EXPECT_EQ(turns.open_of("alice"), 0U);
}

}  // namespace
}  // namespace tandem::jobs
