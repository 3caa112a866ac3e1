// Work that goes on while no client waits, on real workers and their threads.
#include "jobs/runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "net/event.h"

namespace tandem::jobs {
namespace {

using namespace std::chrono_literals;

struct Started {
    net::Worker worker;
    Runner runner;
    Started() { worker.start(); }
    ~Started() {
        runner.stop();
        worker.stop();
    }
    // Starts work that waits until it is cancelled; `began` and `ended` say how far it is.
    bool start(const std::string& id, const std::string& holder) {
        return runner.start(
            worker, id,
            [this](net::Worker& on, net::Cancel& cancel) -> net::Task<> {
                began.notify();
                co_await net::sleep_for(on.context(), 1h, cancel);
                ++ended;
                endings.notify();
            },
            holder);
    }
    net::Event began, endings;
    std::atomic<int> ended = 0;
    void wait_for_ended(int count) {
        while (ended < count) std::this_thread::yield();
    }
};

TEST(Runner, EndsOneAndLeavesTheOthers) {
    Started at;
    ASSERT_TRUE(at.start("one", "alice"));
    ASSERT_TRUE(at.start("two", "alice"));
    EXPECT_FALSE(at.start("two", "alice")) << "no two of one name";
    EXPECT_EQ(at.runner.running_of("alice"), 2U);
    EXPECT_EQ(at.runner.running_of("bob"), 0U);
    at.runner.cancel("nobody");
    at.runner.cancel("one");
    at.wait_for_ended(1);
    while (at.runner.running_of("alice") != 1) std::this_thread::yield();
    EXPECT_EQ(at.ended, 1);
    EXPECT_TRUE(at.start("one", "alice")) << "its name is free again";
}

TEST(Runner, WaitsAtAStopForAllThatRunsAndStartsNothingMore) {
    Started at;
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(at.start(std::to_string(i), "alice"));
    at.runner.stop();
    EXPECT_EQ(at.ended, 50) << "also what had not begun is begun and ended";
    EXPECT_TRUE(at.runner.stopping());
    EXPECT_FALSE(at.start("late", "alice"));
}

TEST(Runner, OutlivesWorkThatThrows) {
    Started at;
    ASSERT_TRUE(at.runner.start(at.worker, "bad", [](net::Worker&, net::Cancel&) -> net::Task<> {
        throw std::runtime_error("as a bug would");
        co_return;
    }));
    at.runner.stop();
    EXPECT_EQ(at.runner.running_of(""), 0U);
}

}  // namespace
}  // namespace tandem::jobs
