// The header of a GGUF file: whatever it claims, reading it ends, and takes no more memory than it is long.
#include "engine/gguf.h"

#include <sstream>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
    if (const auto facts = tandem::engine::read_gguf(in); facts && facts->parameters < 0) __builtin_trap();
    return 0;
}
