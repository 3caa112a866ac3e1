#include "net/fair_pool.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace tandem::net {

namespace {

constexpr int kNice = 5;  // of a thread of the pool, see setpriority(2): on Linux each thread has its own

}  // namespace

FairPool::FairPool(unsigned threads) : most_of_one_(std::max(1U, threads - std::min(threads, 1U))) {
    for (unsigned i = 0; i < std::max(1U, threads); ++i)
        threads_.emplace_back([this] {
            setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
            serve();
        });
}

Result<> FairPool::post(const std::string& holder, Work work) {
    {
        const std::lock_guard lock(mutex_);
        if (ending_) return fail(Fault::server_stopping, "the server is stopping");
        auto& line = lines_[holder];
        if (line.waiting.size() >= kMostWaiting)
            return fail(Fault::server_full,
                        fmt::format("{} large requests of this key wait to be read already; try again in a moment",
                                    kMostWaiting));
        if (line.waiting.empty()) turns_.push_back(holder);
        line.waiting.push_back(std::move(work));
    }
    changed_.notify_one();
    return {};
}

std::list<std::string>::iterator FairPool::next() {
    return std::ranges::find_if(turns_,
                                [this](const std::string& holder) { return lines_[holder].running < most_of_one_; });
}

void FairPool::serve() {
    std::unique_lock lock(mutex_);
    while (true) {
        auto turn = turns_.end();
        changed_.wait(lock, [&] { return (turn = next()) != turns_.end() || (ending_ && turns_.empty()); });
        if (turn == turns_.end()) return;
        const std::string holder = *turn;
        auto& line = lines_[holder];
        auto work = std::move(line.waiting.front());
        line.waiting.pop_front();
        // Whoever has more to do stands last again.
        if (line.waiting.empty())
            turns_.erase(turn);
        else
            turns_.splice(turns_.end(), turns_, turn);
        ++line.running;
        ++running_;
        lock.unlock();
        try {
            work();
        } catch (const std::exception& error) {
            spdlog::error("work of a pool ended with: {}", error.what());
        }
        work = nullptr;  // what it holds goes before its place is free
        lock.lock();
        --running_;
        if (--lines_[holder].running == 0 && lines_[holder].waiting.empty()) lines_.erase(holder);
        changed_.notify_all();
    }
}

void FairPool::join() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
}

FairPool::Status FairPool::status() const {
    const std::lock_guard lock(mutex_);
    Status status{running_, 0, lines_.size()};
    for (const auto& [holder, line] : lines_) status.waiting += line.waiting.size();
    return status;
}

}  // namespace tandem::net
