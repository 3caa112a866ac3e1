#include "jobs/runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace tandem::jobs {

net::Task<> Runner::run(Runner* self, std::string id, std::shared_ptr<Run> running, Work work) {
    net::Cancel cancel;
    running->cancel = &cancel;
    if (self->stopping()) cancel.fire(net::Cancel::Reason::stopping);
    try {
        co_await work(running->worker, cancel);
    } catch (const std::exception& error) {
        spdlog::error("background work {} ended with: {}", id, error.what());
    }
    running->cancel = nullptr;
    work = {};  // what it holds goes before a stop may go on
    const std::lock_guard lock(self->mutex_);
    self->running_.erase(id);
    self->changed_.notify_all();
}

bool Runner::start(net::Worker& worker, const std::string& id, Work work) {
    auto running = std::make_shared<Run>(Run{worker});
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || !running_.emplace(id, running).second) return false;
    }
    net::asio::co_spawn(worker.context().get_executor(), run(this, id, std::move(running), std::move(work)),
                        net::asio::detached);
    return true;
}

void Runner::fire(const std::shared_ptr<Run>& running, net::Cancel::Reason reason) {
    // Whether it still runs is seen on its worker.
    net::asio::post(running->worker.context(), [running, reason] {
        if (running->cancel != nullptr) running->cancel->fire(reason);
    });
}

void Runner::cancel(const std::string& id) {
    const std::lock_guard lock(mutex_);
    if (const auto found = running_.find(id); found != running_.end())
        fire(found->second, net::Cancel::Reason::cancelled);
}

bool Runner::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void Runner::stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    for (const auto& [id, running] : running_) fire(running, net::Cancel::Reason::stopping);
    changed_.wait(lock, [this] { return running_.empty(); });
}

}  // namespace tandem::jobs
