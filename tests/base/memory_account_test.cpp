#include "base/memory_account.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tandem {
namespace {

constexpr std::size_t kMiB = 1UL << 20;

TEST(MemoryAccount, GivesBackWhatWasTakenWhenItsHolderGoes) {
    MemoryAccount account(80 * kMiB);
    {
        auto held = account.take(MemoryKind::body, "alice", 3 * kMiB, false);
        ASSERT_TRUE(held);
        ASSERT_TRUE(held->grow(kMiB));
        EXPECT_EQ(account.status().held, 4 * kMiB);
        EXPECT_EQ(account.status().by_kind[static_cast<std::size_t>(MemoryKind::body)], 4 * kMiB);
        EXPECT_EQ(account.held_by("alice"), 4 * kMiB);
        Held moved = std::move(*held);
        EXPECT_EQ(account.status().held, 4 * kMiB);
        moved.shrink(kMiB);
        EXPECT_EQ(account.status().held, 3 * kMiB);
        ASSERT_TRUE(moved.resize(5 * kMiB));
        EXPECT_EQ(account.status().held, 5 * kMiB);
        moved = Held();
        EXPECT_EQ(account.status().held, 0U);
        auto again = account.take(MemoryKind::answer, "alice", kMiB, false);
        ASSERT_TRUE(again);
    }
    EXPECT_EQ(account.status().held, 0U);
    EXPECT_EQ(account.status().most, 5 * kMiB);
    EXPECT_EQ(account.status().holders, 0U);
    for (const auto bytes : account.status().by_kind) EXPECT_EQ(bytes, 0U);
}

TEST(MemoryAccount, RefusesBeyondItsLimitAndKeepsWhatIsHeld) {
    MemoryAccount account(80 * kMiB);
    std::vector<Held> all;
    for (int i = 0; i < 200; ++i)
        if (auto held = account.take(MemoryKind::body, "key" + std::to_string(i), kMiB, false))
            all.push_back(std::move(*held));
    EXPECT_EQ(all.size(), 70U) << "seven eighths are for large requests";
    const auto refused = account.take(MemoryKind::body, "late", kMiB, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_NE(refused.error().message.find("server.limits.memory_bytes"), std::string::npos);
    EXPECT_FALSE(all[0].grow(kMiB));
    EXPECT_EQ(all[0].bytes(), kMiB);
    all.pop_back();
    EXPECT_TRUE(account.take(MemoryKind::body, "late", kMiB, false)) << "room that was given back can be taken again";
}

TEST(MemoryAccount, LargeRequestsLeaveTheReserveToSmallOnes) {
    MemoryAccount account(80 * kMiB);
    std::vector<Held> large;
    for (int i = 0; i < 200; ++i)
        if (auto held = account.take(MemoryKind::document, "key" + std::to_string(i), kMiB, false))
            large.push_back(std::move(*held));
    EXPECT_TRUE(account.take(MemoryKind::body, "small", kMiB, true));
}

TEST(MemoryAccount, OneHolderCannotTakeTheShareOfTheOthers) {
    MemoryAccount account(80 * kMiB);
    std::vector<Held> of_mallory;
    for (const bool small : {false, true})
        for (int i = 0; i < 200; ++i)
            if (auto held = account.take(MemoryKind::body, "mallory", kMiB, small))
                of_mallory.push_back(std::move(*held));
    EXPECT_LE(account.held_by("mallory"), account.most_for_one() + 5 * kMiB);
    EXPECT_TRUE(account.take(MemoryKind::body, "alice", 20 * kMiB, false));
    EXPECT_TRUE(account.take(MemoryKind::body, "alice", kMiB, true));
}

TEST(MemoryAccount, AHolderAtItsShareCanStillSendSmallRequests) {
    MemoryAccount account(80 * kMiB);
    auto all = account.take(MemoryKind::job, "alice", account.most_for_one(), false);
    ASSERT_TRUE(all);
    EXPECT_FALSE(account.take(MemoryKind::body, "alice", 1, false));
    EXPECT_TRUE(account.take(MemoryKind::body, "alice", kMiB, true));
}

TEST(MemoryAccount, ASmallRequestThatGrowsLargeCountsAsOne) {
    MemoryAccount account(80 * kMiB);
    auto small = account.take(MemoryKind::body, "alice", kMiB, true);
    ASSERT_TRUE(small);
    ASSERT_TRUE(small->become_large());
    EXPECT_FALSE(small->small());
    std::vector<Held> others;
    for (int i = 0; i < 100; ++i)
        if (auto held = account.take(MemoryKind::body, "key" + std::to_string(i), kMiB, false))
            others.push_back(std::move(*held));
    EXPECT_EQ(others.size(), 69U);
    auto late = account.take(MemoryKind::body, "late", kMiB, true);
    ASSERT_TRUE(late);
    EXPECT_FALSE(late->become_large()) << "large ones have no room";
    EXPECT_TRUE(late->small());
}

TEST(MemoryAccount, SaysWhereARequestCouldNeverBeTaken) {
    MemoryAccount account(80 * kMiB);
    const auto refused = account.take(MemoryKind::document, "alice", 60 * kMiB, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::too_large) << "to wait would not help";
    EXPECT_FALSE(account.take(MemoryKind::document, "alice", SIZE_MAX, true)) << "and nothing overflows";
    EXPECT_EQ(account.status().held, 0U);
    EXPECT_EQ(account.status().refused, 2U);
}

TEST(MemoryAccount, CountsRightlyFromManyThreads) {
    MemoryAccount account(80 * kMiB);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&account, t] {
            for (int i = 0; i < 5'000; ++i) {
                auto held = account.take(static_cast<MemoryKind>(i % 5), "key" + std::to_string((t + i) % 3),
                                         static_cast<std::size_t>(i % 7) * kMiB, i % 2 == 0);
                if (held) (void)held->grow(kMiB);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(account.status().held, 0U);
    EXPECT_EQ(account.status().holders, 0U);
    EXPECT_LE(account.status().most, 80 * kMiB);
}

}  // namespace
}  // namespace tandem
