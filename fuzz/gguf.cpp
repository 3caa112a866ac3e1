// The header of a GGUF file: whatever it claims, reading it ends, takes no more memory than it is long, and what it
// says adds up.
#include "engine/gguf.h"

#include <sstream>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string file(reinterpret_cast<const char*>(data), size);
    std::istringstream in(file), again(file);
    const auto facts = tandem::engine::read_gguf(in);
    const auto held = tandem::engine::read_gguf(again, size);
    // What the length of the file is held against is refused more often, never less.
    if (held && !facts) __builtin_trap();
    if (!facts) return 0;
    if (facts->parameters < 0 || facts->active_parameters < 0 || facts->tensor_bytes < 0) __builtin_trap();
    if (facts->header_bytes > size || facts->chat_template.size() > size) __builtin_trap();
    std::int64_t bytes = 0, tensors = 0;
    for (const auto& quant : facts->quants) {
        bytes += quant.bytes;
        tensors += quant.tensors;
    }
    if (bytes != facts->tensor_bytes || tensors != facts->tensors) __builtin_trap();
    if (held && static_cast<std::uint64_t>(held->tensor_bytes) > size * (held->tensors > 0 ? held->tensors : 1))
        __builtin_trap();
    return 0;
}
