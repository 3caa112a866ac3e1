// One thread with its own io_context, and the watch over everything that waits on it.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/world.h"
#include "net/task.h"

namespace tandem::net {

// Something with a deadline, and maybe a peer that can go away. Set the members at any time, on the worker's thread.
class Watched {
  public:
    virtual ~Watched() = default;
    SteadyTime deadline = SteadyTime::max();
    int peer_fd = -1;  // a socket whose other end shall be watched; -1: none
    virtual void on_deadline() = 0;
    virtual void on_peer_gone() {}

  private:
    friend class Watchdog;
    std::list<Watched*>::iterator place_;
};

// Looks at all Watched every kTick, in one pass and one poll(2): a deadline costs a store, not a timer, and a client
// that goes away is noticed within one tick even while nothing reads from it. Sleeps while there is nothing to watch.
class Watchdog {
  public:
    static constexpr milliseconds kTick{50};

    // With a clock nothing happens by itself: whoever owns the clock calls look().
    explicit Watchdog(asio::io_context& context, const Clock* clock = nullptr) : clock_(clock) {
        if (clock == nullptr) timer_.emplace(context);
    }
    void add(Watched& watched);
    void remove(Watched& watched);
    // One pass over all of them.
    void look();
    // When the first of them is due; SteadyTime::max() where none is.
    SteadyTime due() const;
    std::size_t size() const { return watched_.size(); }
    // Ends the watch; elements may still go.
    void close() { timer_.reset(); }

  private:
    void schedule();
    std::optional<
        asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>>
        timer_;
    const Clock* clock_;
    std::list<Watched*> watched_;
    std::list<Watched*>::iterator next_ = watched_.end();  // of the pass under way, so that any element may go
    bool scheduled_ = false;
};

class Worker {
  public:
    // The hint: sockets and timers are used on the worker's own thread only and need no locks; posting from others has
    // its.
    // With a clock it is one of a simulation: it has no thread, and its time is the clock's.
    explicit Worker(const Clock* clock = nullptr)
        : context_(std::make_unique<asio::io_context>(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO)),
          watchdog_(*context_, clock),
          work_(asio::make_work_guard(*context_)) {}
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    asio::io_context& context() { return *context_; }
    Watchdog& watchdog() { return watchdog_; }
    // `after_turn` is called on the thread whenever it has done what there was to do, and at least after every kTurn
    // handlers: what they left behind can be handed on together.
    void start(std::function<void()> after_turn = {});
    // Ends the thread; what still waits is dropped. Call it when nothing does.
    void stop();

  private:
    static constexpr int kTurn = 64;
    void turns(const std::function<void()>& after_turn);

    std::unique_ptr<asio::io_context> context_;
    Watchdog watchdog_;
    asio::executor_work_guard<Executor> work_;
    std::thread thread_;
};

// Waits on the current worker.
Task<> sleep_for(asio::io_context& context, milliseconds time);

}  // namespace tandem::net
