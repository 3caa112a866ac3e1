// Bounds of the HTTP server. Each is named here, can be set under `server: limits:` in tandem.yaml, and has a row in
// the table of constants of docs/internals/architecture.md.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/memory_account.h"

namespace tandem::net {

struct ServerLimits {
    using milliseconds = std::chrono::milliseconds;
    std::size_t header_bytes = 16 * 1024;
    std::size_t header_count = 100;
    std::size_t body_bytes = 32 * 1024 * 1024;
    std::size_t bodies_bytes = 256 * 1024 * 1024;      // of all requests under way together
    std::size_t memory_bytes = MemoryAccount::kBytes;  // of all that the process holds for its clients
    milliseconds header_timeout{10'000};               // from the first byte of a request to the end of its header
    milliseconds body_timeout{60'000};                 // from the end of the header to the end of the body
    milliseconds idle_timeout{75'000};                 // between two requests of a connection
    milliseconds write_timeout{30'000};                // for the client to take what is in flight
    std::size_t connections = 4096;                    // of the whole server
    std::size_t requests_per_connection = 100'000;
    bool operator==(const ServerLimits&) const = default;
};

}  // namespace tandem::net
