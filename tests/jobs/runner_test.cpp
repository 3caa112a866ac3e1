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
    bool start(const std::string& id) {
        return runner.start(worker, id, [this](net::Worker& on, net::Cancel& cancel) -> net::Task<> {
            began.notify();
            co_await net::sleep_for(on.context(), 1h, cancel);
            ++ended;
            endings.notify();
        });
    }
    net::Event began, endings;
    std::atomic<int> ended = 0;
    void wait_for_ended(int count) {
        while (ended < count) std::this_thread::yield();
    }
};

TEST(Runner, EndsOneAndLeavesTheOthers) {
    Started at;
    ASSERT_TRUE(at.start("one"));
    ASSERT_TRUE(at.start("two"));
    EXPECT_FALSE(at.start("two")) << "no two of one name";
    at.runner.cancel("nobody");
    at.runner.cancel("one");
    at.wait_for_ended(1);
    while (!at.start("one")) std::this_thread::yield();  // its name is free again
    EXPECT_EQ(at.ended, 1);
}

TEST(Runner, WaitsAtAStopForAllThatRunsAndStartsNothingMore) {
    Started at;
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(at.start(std::to_string(i)));
    at.runner.stop();
    EXPECT_EQ(at.ended, 50) << "also what had not begun is begun and ended";
    EXPECT_TRUE(at.runner.stopping());
    EXPECT_FALSE(at.start("late"));
}

TEST(Runner, OutlivesWorkThatThrows) {
    Started at;
    ASSERT_TRUE(at.runner.start(at.worker, "bad", [](net::Worker&, net::Cancel&) -> net::Task<> {
        throw std::runtime_error("as a bug would");
        co_return;
    }));
    at.runner.stop();  // returns, since nothing runs
}

}  // namespace
}  // namespace tandem::jobs
