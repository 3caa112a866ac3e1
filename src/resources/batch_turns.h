// Which batches are at work. A batch that waits for its turn holds nothing but its name; the keys are served in turn.
// Private to resources/.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tandem::resources {

// Safe from any thread.
class BatchTurns {
  public:
    static constexpr std::size_t kMostAtWork = 16;  // of all keys
    static constexpr std::size_t kMostAtWorkOfKey = 4;
    static constexpr std::size_t kMostOpenOfKey = 200;  // at work or waiting; one more is refused

    // Calls `start` once, when it is the batch's turn: now, or on another thread when one of those at work leaves.
    void enter(const std::string& key, const std::string& id, std::function<void()> start);
    // A batch that was started has ended.
    void leave(const std::string& key);
    // True where it still waited: then it is never started.
    bool withdraw(const std::string& key, const std::string& id);
    // How a batch at work is told to end, from any thread; until forget().
    void remember(const std::string& id, std::function<void()> cancel);
    void forget(const std::string& id);
    void cancel(const std::string& id);
    // At work or waiting.
    std::size_t open_of(const std::string& key) const;

    struct Status {
        std::size_t at_work = 0;
        std::size_t waiting = 0;
    };
    Status status() const;

  private:
    struct Waiting {
        std::string id;
        std::function<void()> start;
    };
    struct Line {
        std::deque<Waiting> waiting;
        std::size_t at_work = 0;
    };
    std::function<void()> next();  // under the lock; empty where nobody may begin
    void start_those_that_may();

    mutable std::mutex mutex_;
    std::unordered_map<std::string, Line> lines_;
    std::list<std::string> turns_;  // keys that have a batch waiting, next first
    std::size_t at_work_ = 0;
    std::unordered_map<std::string, std::function<void()>> cancels_;  // of those at work
};

}  // namespace tandem::resources
