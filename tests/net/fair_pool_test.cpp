#include "net/fair_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace tandem::net {
namespace {

// Keeps a thread of the pool until it is opened.
struct Door {
    std::promise<void> opened;
    std::shared_future<void> open = opened.get_future().share();
    std::promise<void> entered;
};

TEST(FairPool, ServesItsHoldersInTurnHoweverMuchOneHasQueued) {
    std::vector<std::string> order;
    Door door;
    {
        FairPool pool(1);
        ASSERT_TRUE(pool.post("door", [&] {
            door.entered.set_value();
            door.open.wait();
        }));
        door.entered.get_future().wait();
        for (int i = 0; i < 10; ++i) ASSERT_TRUE(pool.post("mallory", [&] { order.emplace_back("mallory"); }));
        for (int i = 0; i < 2; ++i) ASSERT_TRUE(pool.post("alice", [&] { order.emplace_back("alice"); }));
        ASSERT_TRUE(pool.post("bob", [&] { order.emplace_back("bob"); }));
        EXPECT_EQ(pool.status().waiting, 13U);
        door.opened.set_value();
    }
    const std::vector<std::string> first(order.begin(), order.begin() + 5);
    EXPECT_EQ(first, (std::vector<std::string>{"mallory", "alice", "bob", "mallory", "alice"}));
    EXPECT_EQ(order.size(), 13U) << "what is queued is done before the threads end";
}

TEST(FairPool, LeavesAThreadToTheOthersWhileOneHolderWorks) {
    Door door;
    FairPool pool(2);
    std::atomic<int> at_once = 0;
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(pool.post("mallory", [&] {
            if (++at_once == 1) door.entered.set_value();
            door.open.wait();
        }));
    door.entered.get_future().wait();
    std::promise<void> served;
    ASSERT_TRUE(pool.post("alice", [&] { served.set_value(); }));
    served.get_future().wait();  // hangs where mallory has both
    EXPECT_EQ(at_once, 1);
    door.opened.set_value();
    pool.join();
    EXPECT_EQ(at_once, 4);
}

TEST(FairPool, TurnsAwayAHolderThatQueuesTooMuchAndNobodyElse) {
    Door door;
    FairPool pool(1);
    ASSERT_TRUE(pool.post("mallory", [&] {
        door.entered.set_value();
        door.open.wait();
    }));
    door.entered.get_future().wait();
    for (std::size_t i = 0; i < FairPool::kMostWaiting; ++i) ASSERT_TRUE(pool.post("mallory", [] {}));
    const auto refused = pool.post("mallory", [] {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(pool.post("alice", [] {}));
    door.opened.set_value();
    pool.join();
    EXPECT_FALSE(pool.post("alice", [] {})) << "nothing is taken after the end";
    EXPECT_EQ(pool.status().holders, 0U);
}

TEST(FairPool, GoesOnAfterWorkThatThrows) {
    std::atomic<int> done = 0;
    {
        FairPool pool(1);
        ASSERT_TRUE(pool.post("mallory", [] { throw std::runtime_error("broken"); }));
        ASSERT_TRUE(pool.post("alice", [&] { ++done; }));
    }
    EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace tandem::net
