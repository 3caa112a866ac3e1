// What memory a llama-server takes for a model, before it is started. Pure. Formulas: llama.cpp's, of the release that
// packaging/setup.sh builds, with its flash attention on the CPU; the parts that it does not print are measured
// (docs/how-to/pull-a-model.md says how far the sum was off).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf.h"

namespace tandem::engine {

struct NeedSettings {
    std::int64_t context_tokens = 4096;        // of one slot
    std::int64_t slots = 1;                    // requests at a time
    std::string keys = "f16", values = "f16";  // types of the cache (--cache-type-k, --cache-type-v)
    std::int64_t batch = 512;                  // tokens of a prompt that are worked on together (--ubatch-size)
    std::vector<std::string> repacked = {};    // types of tensors that the CPU wants in another order
};

// Bytes that are resident in the process at its peak (VmHWM). The weights are pages of the file.
struct MemoryNeed {
    std::int64_t weights = 0;    // tensors, as they stand in the file
    std::int64_t repacked = 0;   // copies of tensors in the CPU's order; their pages of the file can then go
    std::int64_t attention = 0;  // keys and values of layers that see the whole context
    std::int64_t window = 0;     // of layers that see a window
    std::int64_t latent = 0;     // of latent attention (MLA)
    std::int64_t recurrent = 0;  // states of layers that have no cache
    std::int64_t compute = 0;    // what is between two layers, the mask, the logits
    std::int64_t program = 0;    // its code, the vocabulary, the rest of its heap
    std::int64_t projector = 0;  // weights of what reads images (mmproj), which are read into memory
    std::int64_t draft = 0;      // all of a draft model but the program

    std::int64_t cache() const { return attention + window + latent + recurrent; }
    std::int64_t total() const { return weights + repacked + cache() + compute + program + projector + draft; }
    // Without the pages that the kernel can drop for good: what must fit.
    std::int64_t kept() const { return total() - repacked; }
    // Memory of the process alone; the rest are pages of the file, which the kernel may drop and read again.
    std::int64_t anonymous() const { return total() - weights; }
    // What a GPU holds that takes all layers: the rest stays with the CPU.
    std::int64_t on_gpu() const { return weights + cache() + compute + projector + draft; }
    // What the same model takes as the draft model of another, in one process.
    std::int64_t of_draft() const;
};

// Bytes of one element of a cache of this type. 0: not one of llama-server's.
double bytes_of_cache_type(std::string_view type);

// Settings: context, slots and batch above 0, known cache types. Absurd facts give absurd bytes, never more than 2^58 a
// part.
MemoryNeed memory_need(const GgufFacts& facts, const NeedSettings& settings);

// The largest context of a slot, in steps of 256, at which kept() is within `room` bytes; at most what the model
// claims, where it claims any, else 2^20. 0: not even 256.
std::int64_t largest_context(const GgufFacts& facts, NeedSettings settings, std::int64_t room);

}  // namespace tandem::engine
