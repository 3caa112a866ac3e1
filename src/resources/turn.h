// Work of a request on what it brought. Private to resources/.
#pragma once

#include <string>

#include "gateway/services.h"
#include "gateway/weight.h"

namespace tandem::resources {

// Runs `work` here where it is short, else in the key's turn on a thread of the pool.
template <typename Work>
net::Task<Result<>> in_turn(gateway::Services& services, const std::string& key, std::size_t bytes, Work work) {
    if (bytes <= gateway::kLargeBody) co_return work();
    co_return co_await net::run_on<Result<>>(services.scans, key, std::move(work));
}

}  // namespace tandem::resources
