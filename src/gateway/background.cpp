#include "gateway/background.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

namespace tandem::gateway {

bool Live::add(std::string_view event) {
    const std::lock_guard lock(mutex_);
    full_ = full_ || text_.size() + event.size() > kMostEvents || !memory_.grow(2 * event.size());
    if (full_) return false;
    text_ += event;
    ends_.push_back(text_.size());
    return true;
}

void Live::end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
}

Live::Seen Live::since(std::size_t first) const {
    const std::lock_guard lock(mutex_);
    Seen seen;
    const std::size_t begin = first == 0 ? 0 : first <= ends_.size() ? ends_[first - 1] : text_.size();
    std::size_t i = first;
    while (i < ends_.size() && (i == first || ends_[i] - begin <= kSlice)) ++i;
    if (i > first) seen.bytes = text_.substr(begin, ends_[i - 1] - begin);
    seen.events = i > first ? i - first : 0;
    seen.ended = ended_ && i >= ends_.size();
    return seen;
}

std::size_t Live::count() const {
    const std::lock_guard lock(mutex_);
    return ends_.size();
}

bool Live::ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
}

std::string Live::all() const {
    const std::lock_guard lock(mutex_);
    return text_;
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
        place->second.live->end();
        self->running_.erase(place);
    }
    self->changed_.notify_all();
}

bool Background::start(net::Worker& worker, const std::string& id, std::shared_ptr<Live> live,
                       std::function<net::Task<>()> work, const std::string& holder) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return false;
        running_[id] = {std::move(live), holder};
    }
    net::asio::co_spawn(worker.context().get_executor(), run(this, id, std::move(work)), net::asio::detached);
    return true;
}

std::shared_ptr<Live> Background::find(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(id);
    return found == running_.end() ? nullptr : found->second.live;
}

std::size_t Background::running_of(const std::string& holder) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(running_, [&](const auto& entry) { return entry.second.holder == holder; }));
}

bool Background::stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
}

void Background::stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    for (const auto& [id, running] : running_) running.live->cancel();
    changed_.wait(lock, [this] { return running_.empty(); });
}

}  // namespace tandem::gateway
