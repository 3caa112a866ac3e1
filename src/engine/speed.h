// How fast a model writes on this machine's CPU, before it is started. A token that is written reads all weights that
// it meets, and the keys and values of all before it: memory bounds it, not arithmetic. An estimate, from above: what
// an engine reaches of the bandwidth is less (docs/concepts/which-model-fits.md says how much, where it was measured).
#pragma once

#include <cstdint>

#include "engine/gguf.h"
#include "engine/memory_need.h"

namespace tandem::engine {

// Bytes that are read for one token, when its context holds `seen` tokens: of a mixture the experts that it meets, of
// the table of tokens one row, where there is another for the way back.
std::int64_t bytes_per_token(const GgufFacts& facts, const NeedSettings& settings, std::int64_t seen);

struct Bandwidth {
    double bytes_per_second = 0;  // 0: it could not be measured
    int threads = 0;
    std::int64_t buffer_bytes = 0;
};

// Reads a buffer that no cache holds with `threads` threads, over and over, for a fifth of a second; the best pass
// counts, by the time that its threads had a CPU. The buffer is at most `most_bytes` and 512 MiB, and is given back.
// Uses all those CPUs meanwhile.
Bandwidth measure_bandwidth(int threads, std::int64_t most_bytes);

}  // namespace tandem::engine
