// The header of a model file that lies elsewhere, read by ranges.
#pragma once

#include <cstdint>

#include "engine/gguf.h"
#include "engine/pull/transfer.h"
#include "engine/pull/web.h"

namespace tandem::engine {

struct RemoteHeader {
    GgufFacts facts;
    std::int64_t size = 0;  // bytes of the file
    std::int64_t read = 0;  // bytes that came
};

// Asks for more of the file until its header is whole, kLongestHeader bytes at most. Errors: as Web's, as read_gguf(),
// upstream (no ranges, or another length than the piece has), too_large (the header does not end).
net::Task<Result<RemoteHeader>> header_of(Web& web, Piece piece);

}  // namespace tandem::engine
