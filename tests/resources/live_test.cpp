#include "resources/live.h"

#include <gtest/gtest.h>

namespace tandem::resources {
namespace {

TEST(Live, GivesItsEventsOnceInSlices) {
    MemoryAccount memory;
    Live live(memory.open(MemoryKind::job, "alice", false));
    std::string all;
    for (int i = 0; i < 100; ++i) {
        const auto event = "data: " + std::to_string(i) + std::string(10'000, 'x') + "\n\n";
        ASSERT_TRUE(live.add(event));
        all += event;
    }
    EXPECT_EQ(live.count(), 100U);
    EXPECT_EQ(memory.held_by("alice"), 2 * all.size());
    std::string seen;
    std::size_t first = 0, looks = 0;
    live.end();
    while (true) {
        const auto next = live.since(first);
        EXPECT_LE(next.bytes.size(), Live::kSlice);
        seen += next.bytes;
        first += next.events;
        ++looks;
        if (next.ended) break;
        ASSERT_GT(next.events, 0U);
    }
    EXPECT_EQ(seen, all);
    EXPECT_EQ(first, 100U);
    EXPECT_GT(looks, 3U);
    EXPECT_TRUE(live.since(99).bytes.starts_with("data: 99"));
    EXPECT_TRUE(live.since(100).ended);
    EXPECT_TRUE(live.since(500).bytes.empty()) << "a client may ask for more than there is";
}

TEST(Live, GivesAnEventThatIsLargerThanASliceWhole) {
    Live live;
    const std::string large(Live::kSlice * 2, 'x');
    ASSERT_TRUE(live.add(large));
    ASSERT_TRUE(live.add("data: small\n\n"));
    const auto seen = live.since(0);
    EXPECT_EQ(seen.events, 1U);
    EXPECT_EQ(seen.bytes, large);
}

TEST(Live, IsBoundedInBytesAndByTheAccount) {
    const std::string event(1UL << 20, 'x');
    {
        Live live;
        std::size_t taken = 0;
        while (live.add(event)) ++taken;
        EXPECT_EQ(taken, Live::kMostEvents >> 20);
        EXPECT_FALSE(live.add("data: small\n\n"))
            << "an event that follows a gap would be read as if nothing were missing";
    }
    MemoryAccount memory(MemoryAccount::kSmallest);
    {
        Live live(memory.open(MemoryKind::job, "alice", false));
        std::size_t taken = 0;
        while (live.add(event)) ++taken;
        EXPECT_EQ(taken, 2U);
        EXPECT_EQ(memory.held_by("alice"), 4 * event.size());
    }
    EXPECT_EQ(memory.held_by("alice"), 0U) << "and given back";
}

}  // namespace
}  // namespace tandem::resources
