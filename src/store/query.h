// Questions to the store from a coroutine.
#pragma once

#include <functional>
#include <memory>

#include "net/task.h"
#include "store/store.h"

namespace tandem::store {

// Runs `ask` as a job of its own and waits. Its error undoes it and is given on as it is.
template <typename T>
net::Task<Result<T>> query(Store& store, std::function<Result<T>(Database&)> ask) {
    auto slot = std::make_shared<Result<T>>(fail(ErrorCode::storage, "the store did not answer"));
    const auto done = co_await net::wait_for<Result<>>([&](auto resume) {
        store.submit(
            [slot, ask = std::move(ask)](Database& database) -> Result<> {
                *slot = ask(database);
                if (!*slot) return fail(slot->error());
                return {};
            },
            std::move(resume));
    });
    if (slot->has_value() && !done) co_return fail(done.error());
    co_return std::move(*slot);
}

// The same for a job that only changes something.
inline net::Task<Result<>> change(Store& store, Store::Job job) {
    auto slot = std::make_shared<Result<>>();
    const auto done = co_await net::wait_for<Result<>>([&](auto resume) {
        store.submit([slot, job = std::move(job)](Database& database) { return *slot = job(database); },
                     std::move(resume));
    });
    co_return *slot ? done : *slot;
}

}  // namespace tandem::store
