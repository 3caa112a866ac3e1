// Whose turn it is: some work of each owner may be under way, some of all, and owners are served in turn. What waits
// holds nothing but its name. Private to jobs/.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tandem::jobs {

// Safe from any thread.
class Turns {
  public:
    struct Limits {
        std::size_t at_work = 16;  // of all owners
        std::size_t at_work_of_owner = 4;
    };
    explicit Turns(Limits limits) : limits_(limits) {}

    // Calls `start` once, when it is the work's turn: now, or on another thread when some that is under way leaves.
    // `id` is for take_out().
    void enter(const std::string& owner, std::string id, std::function<void()> start);
    // Work that waits for its turn does not any more; `start` is not called. False where none of that id waits.
    bool take_out(const std::string& owner, std::string_view id);
    // Work that was started has ended.
    void leave(const std::string& owner);
    // At work or waiting.
    std::size_t open_of(const std::string& owner) const;

  private:
    struct Waiting {
        std::string id;
        std::function<void()> start;
    };
    struct Line {
        std::deque<Waiting> waiting;
        std::size_t at_work = 0;
    };
    std::function<void()> next();  // under the lock; empty where nothing may begin
    void start_those_that_may();

    const Limits limits_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Line> lines_;
    std::list<std::string> turns_;  // owners that have work waiting, next first
    std::size_t at_work_ = 0;
};

}  // namespace tandem::jobs
