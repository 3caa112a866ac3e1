#include "net/event.h"

#include <algorithm>
#include <boost/asio/basic_waitable_timer.hpp>
#include <utility>

namespace tandem::net {

namespace {

using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace

void Event::Waiter::go_on() {
    std::function<void(bool)> resume;
    {
        const std::lock_guard lock(mutex_);
        resume = std::exchange(resume_, {});
    }
    if (resume) resume(true);
}

std::uint64_t Event::count() const {
    const std::lock_guard lock(mutex_);
    return count_;
}

void Event::notify() {
    std::vector<std::weak_ptr<Waiter>> waiters;
    {
        const std::lock_guard lock(mutex_);
        ++count_;
        waiters.swap(waiters_);
    }
    for (const auto& place : waiters)
        if (const auto waiter = place.lock()) waiter->go_on();
}

Task<> Event::wait(std::uint64_t seen, asio::io_context& context, milliseconds longest, Cancel& cancel) {
    Timer timer(context, longest);
    Cancel::Hook hook;
    std::shared_ptr<Waiter> waiter;  // lives until the coroutine goes on
    co_await wait_for<bool>([&](auto resume) {
        waiter = std::make_shared<Waiter>(std::move(resume));
        timer.async_wait([place = std::weak_ptr(waiter)](boost::system::error_code) {
            if (const auto alive = place.lock()) alive->go_on();
        });
        cancel.on_fire(hook, [waiter] { waiter->go_on(); });
        const std::lock_guard lock(mutex_);
        std::erase_if(waiters_, [](const auto& place) { return place.expired(); });
        if (count_ == seen)
            waiters_.push_back(waiter);
        else
            asio::post(context, [waiter] { waiter->go_on(); });
    });
}

Task<> sleep_for(asio::io_context& context, milliseconds time, Cancel& cancel) {
    Event never;
    co_await never.wait(never.count(), context, time, cancel);
}

}  // namespace tandem::net
