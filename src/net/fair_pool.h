// Threads for work that would hold up a worker: large bodies, uploads. Fair between those who ask: each holder (the id
// of a key) has a queue of its own, the queues are served in turn, and one holder never has all threads.
//
// It promises that a holder waits for at most one piece of work of each other holder, however much these have queued.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "net/task.h"

namespace tandem::net {

class FairPool {
  public:
    static constexpr std::size_t kMostWaiting = 64;  // of one holder
    using Work = std::function<void()>;

    // At least one thread. They run at a lower priority than the workers, which only pass bytes on.
    explicit FairPool(unsigned threads);
    ~FairPool() { join(); }
    FairPool(const FairPool&) = delete;
    FairPool& operator=(const FairPool&) = delete;

    // Queues `work`; from any thread. Errors: unavailable, where so much of this holder waits already, or after join().
    Result<> post(const std::string& holder, Work work);
    // Runs what is queued, then ends the threads. From a thread that is none of them.
    void join();

    struct Status {
        std::size_t running = 0;
        std::size_t waiting = 0;
        std::size_t holders = 0;  // that wait or run
    };
    Status status() const;

  private:
    struct Line {
        std::deque<Work> waiting;
        std::size_t running = 0;
    };
    void serve();
    std::list<std::string>::iterator next();  // under the lock; turns_.end() where nobody may run

    const std::size_t most_of_one_;  // threads that one holder may have
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::unordered_map<std::string, Line> lines_;
    std::list<std::string> turns_;  // holders that have something waiting, next first
    std::size_t running_ = 0;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

// Runs `work` on the pool, in the holder's turn, and waits for what it returns. T is a Result. Errors: unavailable, as
// post(), and those of `work`.
template <typename T, typename Work>
Task<T> run_on(FairPool& pool, std::string holder, Work work) {
    return wait_for<T>(
        [&pool, holder = std::move(holder), work = std::move(work)](std::function<void(T)> resume) mutable {
            auto posted = pool.post(holder, [work = std::move(work), resume]() mutable { resume(work()); });
            if (!posted) resume(std::unexpected<Error>(posted.error()));
        });
}

}  // namespace tandem::net
