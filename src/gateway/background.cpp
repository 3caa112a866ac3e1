#include "gateway/background.h"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace tandem::gateway {

void Live::add(std::string event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
}

void Live::end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
}

Live::Seen Live::since(std::size_t first) const {
    const std::lock_guard lock(mutex_);
    Seen seen{{}, ended_};
    for (std::size_t i = first; i < events_.size(); ++i) seen.events.push_back(events_[i]);
    return seen;
}

void Live::cancel() {
    // Whether it still runs is seen on its worker.
    net::asio::post(worker_.context(), [self = shared_from_this()] {
        if (self->cancel_ != nullptr) self->cancel_->fire(net::Cancel::Reason::client_gone);
    });
}

net::Task<> Background::run(Background* self, std::string id, std::function<net::Task<>()> work) {
    try {
        co_await work();
    } catch (const std::exception& error) {
        spdlog::error("background work {} ended with: {}", id, error.what());
    }
    const std::lock_guard lock(self->mutex_);
    if (const auto place = self->running_.find(id); place != self->running_.end()) {
        place->second->end();
        self->running_.erase(place);
    }
    self->changed_.notify_all();
}

bool Background::start(net::Worker& worker, const std::string& id, std::shared_ptr<Live> live,
                       std::function<net::Task<>()> work) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return false;
        running_[id] = std::move(live);
    }
    net::asio::co_spawn(worker.context().get_executor(), run(this, id, std::move(work)), net::asio::detached);
    return true;
}

std::shared_ptr<Live> Background::find(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(id);
    return found == running_.end() ? nullptr : found->second;
}

bool Background::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void Background::stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    for (const auto& [id, live] : running_) live->cancel();
    changed_.wait(lock, [this] { return running_.empty(); });
}

}  // namespace tandem::gateway
