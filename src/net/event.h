// Waiting for something that another thread does, without looking again and again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/world.h"
#include "net/cancel.h"
#include "net/task.h"

namespace tandem::net {

// Something that happens now and then. Safe from any thread. A waiter holds nothing of the Event but its place.
class Event {
  public:
    // How often it has happened. Taken before a look, it makes sure that a wait misses nothing since.
    std::uint64_t count() const;
    // It has happened: everybody who waits goes on.
    void notify();
    // Waits until it has happened more than `seen` times, for at most `longest`, or until `cancel` fires. On the
    // worker whose `context` it is; `cancel` is one of that thread.
    Task<> wait(std::uint64_t seen, asio::io_context& context, milliseconds longest, Cancel& cancel);

  private:
    // Resumes its coroutine once, whoever comes first.
    class Waiter {
      public:
        explicit Waiter(std::function<void(bool)> resume) : resume_(std::move(resume)) {}
        void go_on();

      private:
        std::mutex mutex_;
        std::function<void(bool)> resume_;
    };
    mutable std::mutex mutex_;
    std::uint64_t count_ = 0;
    std::vector<std::weak_ptr<Waiter>> waiters_;
};

// Sleeps on the current worker, until `cancel` fires at the latest.
Task<> sleep_for(asio::io_context& context, milliseconds time, Cancel& cancel);

}  // namespace tandem::net
