// Waiting for what another thread does.
#include "net/event.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <future>
#include <thread>

#include "net/worker.h"

namespace tandem::net {
namespace {

using namespace std::chrono_literals;

// Runs a task on a worker and gives what it returns.
template <typename T>
std::future<T> run(Worker& worker, Task<T> task) {
    auto promise = std::make_shared<std::promise<T>>();
    auto result = promise->get_future();
    asio::co_spawn(
        worker.context().get_executor(),
        [](Task<T> inner, std::shared_ptr<std::promise<T>> out) -> Task<> {
            out->set_value(co_await std::move(inner));
        }(std::move(task), promise),
        asio::detached);
    return result;
}

Task<std::uint64_t> waited(Event& event, Worker& worker, std::uint64_t seen, milliseconds longest) {
    Cancel never;
    co_await event.wait(seen, worker.context(), longest, never);
    co_return event.count();
}

TEST(Event, GoesOnWithWhatHappensAndMissesNothing) {
    Worker worker;
    worker.start();
    Event event;
    auto first = run(worker, waited(event, worker, 0, 1h));
    event.notify();
    EXPECT_EQ(first.get(), 1U) << "whether it began to wait before that or after";
    EXPECT_EQ(run(worker, waited(event, worker, 0, 1h)).get(), 1U) << "it has happened since";
    // Everybody goes on, each time.
    std::vector<std::future<std::uint64_t>> all;
    for (int i = 0; i < 100; ++i) all.push_back(run(worker, waited(event, worker, 1, 1h)));
    event.notify();
    for (auto& one : all) EXPECT_EQ(one.get(), 2U);
    worker.stop();
}

TEST(Event, IsWaitedForAtMostSoLong) {
    Worker worker;
    worker.start();
    Event event;
    EXPECT_EQ(run(worker, waited(event, worker, 0, 1ms)).get(), 0U);
    worker.stop();
}

TEST(Event, IsNotWaitedForOnceItIsCancelled) {
    Worker worker;
    worker.start();
    Event event;
    auto cancelled = [](Event& on, Worker& at, bool before) -> Task<bool> {
        Cancel cancel;
        if (before)
            cancel.fire(Cancel::Reason::stopping);
        else
            asio::post(at.context(), [&cancel] { cancel.fire(Cancel::Reason::stopping); });
        co_await on.wait(on.count(), at.context(), 1h, cancel);
        co_return cancel.fired();
    };
    EXPECT_TRUE(run(worker, cancelled(event, worker, true)).get());
    EXPECT_TRUE(run(worker, cancelled(event, worker, false)).get());
    worker.stop();
}

TEST(Event, OfManyThreadsWakesEachWaiterOnce) {
    Worker one, two;
    one.start();
    two.start();
    Event event;
    auto follow = [](Event& on, Worker& at) -> Task<int> {
        Cancel never;
        int wakes = 0;
        for (auto seen = on.count(); seen < 1'000; seen = on.count(), ++wakes)
            co_await on.wait(seen, at.context(), 1h, never);
        co_return wakes;
    };
    auto left = run(one, follow(event, one)), right = run(two, follow(event, two));
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&event] {
            for (int k = 0; k < 250; ++k) event.notify();
        });
    EXPECT_LE(left.get(), 1'000);
    EXPECT_LE(right.get(), 1'000);
    threads.clear();
    one.stop();
    two.stop();
}

}  // namespace
}  // namespace tandem::net
