// The header of a GGUF file: whatever it claims, reading it ends, takes no more memory than it is long, and what it
// says adds up.
#include "engine/gguf.h"

#include <sstream>

#include "engine/memory_need.h"
#include "engine/speed.h"

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
    if (facts->active_parameters > facts->parameters || facts->expert_bytes > facts->tensor_bytes ||
        facts->embedding_bytes > facts->tensor_bytes)
        __builtin_trap();
    auto twice = *facts;
    if (tandem::engine::add_part(twice, *facts) && twice.tensor_bytes != 2 * facts->tensor_bytes) __builtin_trap();
    const auto need =
        tandem::engine::memory_need(twice, {.context_tokens = 4'096, .slots = 2, .repacked = {"Q4_K", "Q4_0"}});
    if (need.total() < 0 || need.kept() < 0 || tandem::engine::bytes_per_token(twice, {}, 1'000) < 0) __builtin_trap();
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
