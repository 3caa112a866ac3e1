// The coroutine type of the house and how to wait for what another thread finishes.
//
// A connection lives and dies on the thread of its worker; so does every Task of it. Nothing here is safe to use from
// two threads unless it says so.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace tandem::net {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

template <typename T = void>
using Task = asio::awaitable<T, Executor>;

inline constexpr asio::use_awaitable_t<Executor> use_task{};

// Waits for a callback that may come from any thread: `start` gets a function that takes the result, which must be
// called exactly once; the Task goes on, on its own executor. T is default-constructible and movable.
//
//     auto done = co_await net::wait_for<Result<>>([&](auto resume) { store.commit(job, std::move(resume)); });
template <typename T, typename Start>
Task<T> wait_for(Start start) {
    auto initiate = [](auto handler, Start begin) {
        auto executor = asio::get_associated_executor(handler);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        begin(std::function<void(T)>([executor, shared](T value) {
            asio::post(executor,
                       [shared, value = std::move(value)]() mutable { std::move (*shared)(std::move(value)); });
        }));
    };
    return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(T)>(initiate, use_task, std::move(start));
}

// Runs `work` on a pool's thread, and waits for what it returns.
template <typename T, typename Pool, typename Work>
Task<T> run_on(Pool& pool, Work work) {
    return wait_for<T>([&pool, work = std::move(work)](std::function<void(T)> resume) mutable {
        asio::post(pool, [work = std::move(work), resume = std::move(resume)]() mutable { resume(work()); });
    });
}

}  // namespace tandem::net
