#include "net/worker.h"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>

namespace tandem::net {

void Watchdog::add(Watched& watched) {
    watched_.push_back(&watched);
    watched.place_ = std::prev(watched_.end());
    schedule();
}

void Watchdog::remove(Watched& watched) {
    if (next_ == watched.place_) ++next_;
    watched_.erase(watched.place_);
}

void Watchdog::schedule() {
    if (scheduled_ || !timer_) return;
    scheduled_ = true;
    timer_->expires_after(kTick);
    timer_->async_wait([this](const boost::system::error_code& error) {
        scheduled_ = false;
        if (error) return;
        look();
        if (!watched_.empty()) schedule();
    });
}

SteadyTime Watchdog::due() const {
    auto first = SteadyTime::max();
    for (const auto* watched : watched_) first = std::min(first, watched->deadline);
    return first;
}

void Watchdog::look() {
    const auto now = clock_ != nullptr ? clock_->steady() : std::chrono::steady_clock::now();
    std::vector<pollfd> sockets;
    for (const Watched* watched : watched_)
        if (watched->peer_fd >= 0) sockets.push_back({watched->peer_fd, POLLRDHUP, 0});
    if (!sockets.empty()) ::poll(sockets.data(), sockets.size(), 0);
    std::size_t socket = 0;
    for (next_ = watched_.begin(); next_ != watched_.end();) {
        Watched& watched = **next_++;
        bool gone = false;
        // The order is that of the first pass; a callback may have removed some, so the sockets are matched by number.
        if (watched.peer_fd >= 0) {
            while (socket < sockets.size() && sockets[socket].fd != watched.peer_fd) ++socket;
            gone = socket < sockets.size() && (sockets[socket].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
            if (socket < sockets.size()) ++socket;
        }
        const bool late = watched.deadline <= now;
        if (late) {
            watched.deadline = SteadyTime::max();
            watched.on_deadline();
        } else if (gone) {
            watched.peer_fd = -1;
            watched.on_peer_gone();
        }
    }
}

Worker::~Worker() {
    stop();
    // What is still suspended goes with the context, and takes itself off the watch as it goes.
    watchdog_.close();
    context_.reset();
}

void Worker::turns(const std::function<void()>& after_turn) {
    while (!context_->stopped()) {
        int done = 0;
        while (done < kTurn && context_->poll_one() > 0) ++done;
        if (after_turn) after_turn();
        if (done == 0) context_->run_one();
    }
}

void Worker::start(std::function<void()> after_turn) {
    thread_ = std::thread([this, after_turn = std::move(after_turn)] {
        while (true) {
            try {
                turns(after_turn);
                return;
            } catch (const std::exception& error) {
                // Nothing of ours throws this far; Beast has been seen to (HAZARDS.md 4). The thread must live on.
                spdlog::error("a connection ended by an exception: {}", error.what());
            }
        }
    });
}

void Worker::stop() {
    work_.reset();
    context_->stop();
    if (thread_.joinable()) thread_.join();
}

Task<> sleep_for(asio::io_context& context, milliseconds time) {
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer(
        context);
    timer.expires_after(time);
    co_await timer.async_wait(asio::as_tuple(use_task));
}

}  // namespace tandem::net
