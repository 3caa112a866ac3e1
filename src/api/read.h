// Questions to the ledger's file that need not wait behind what is written. Private to api/.
#pragma once

#include <functional>

#include "gateway/services.h"
#include "store/store.h"

namespace tandem::api {

// On the pool, by a connection of its own. Errors: not_found, storage, and those of `ask`.
template <typename T>
net::Task<Result<T>> read_ledger(gateway::Services& services, std::function<Result<T>(store::Database&)> ask) {
    const auto file = services.snapshot()->config->data / "ledger.db";
    co_return co_await net::run_on<Result<T>>(services.pool, [file, ask = std::move(ask)]() -> Result<T> {
        auto database = store::Database::open_to_read(file);
        if (!database) return fail(database.error());
        return ask(**database);
    });
}

}  // namespace tandem::api
