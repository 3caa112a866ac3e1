// The types of a GGUF file's tensors, as ggml.h has them (ggml_type, and the blocks of ggml-common.h).
#pragma once

#include <cstdint>
#include <string_view>

namespace tandem::engine {

struct TensorType {
    std::string_view name;
    std::uint64_t elements = 0;  // of a block
    std::uint64_t bytes = 0;     // of a block
};

// Nothing for a type that is not known here.
const TensorType* tensor_type(std::uint32_t type);

// The bytes of a tensor: rows of `row` elements each, in whole blocks. False where the sum is too large, or a row is no
// whole number of blocks.
bool tensor_bytes(const TensorType& type, std::uint64_t row, std::uint64_t elements, std::uint64_t& bytes);

}  // namespace tandem::engine
