// Tasks that a Task starts and waits for, and waiting for a time. One worker's thread.
#pragma once

#include <exception>
#include <functional>

#include "net/cancel.h"
#include "net/task.h"
#include "net/worker.h"

namespace tandem::net {

// Until then, to within Watchdog::kTick, or until `cancel` fires.
Task<> sleep_until(Worker& worker, SteadyTime time, Cancel& cancel);

// None of them may outlive it: wait() until none runs before it goes.
class Children {
  public:
    explicit Children(Worker& worker) : worker_(worker) {}
    Children(const Children&) = delete;
    Children& operator=(const Children&) = delete;

    void start(Task<> task);
    // Until one has ended that no wait() has told of, or the time has come; at once where none runs. Throws what a task
    // threw.
    Task<> wait(SteadyTime until = SteadyTime::max());
    std::size_t running() const { return running_; }

  private:
    void ended(const std::exception_ptr& thrown);

    Worker& worker_;
    std::size_t running_ = 0;
    std::size_t untold_ = 0;
    std::exception_ptr thrown_;
    std::function<void()> wake_;
};

}  // namespace tandem::net
