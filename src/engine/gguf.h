// The header of a GGUF file, for what it says of the model: nothing in it is trusted. Format:
// ggml's docs/gguf.md, versions 2 and 3, little-endian.
#pragma once

#include <cstdint>
#include <filesystem>
#include <istream>
#include <string>

#include "base/result.h"

namespace tandem::engine {

struct GgufFacts {
    std::string architecture;            // "llama", "qwen2", "bert"
    std::string name;                    // as its maker calls it; empty: not said
    std::string quantization;            // "Q4_K_M"; empty: not said
    std::int64_t parameters = 0;         // of all tensors
    std::int64_t active_parameters = 0;  // that one token uses, of a mixture of experts; 0: all
    std::int64_t context_tokens = 0;     // that it claims; 0: not said
};

// Reads at most kMostHeader bytes, and keeps none of the arrays. Errors: invalid (what is wrong, and where).
inline constexpr std::uint64_t kMostHeader = 512UL << 20;
Result<GgufFacts> read_gguf(std::istream& in);
// Errors: also not_found.
Result<GgufFacts> read_gguf(const std::filesystem::path& file);

}  // namespace tandem::engine
