// The GPUs that a llama-server sees, by its own words (--list-devices), and how much of each a model takes before it
// has run. Another program, or the driver, may count them otherwise: CUDA puts the fastest first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/memory_need.h"

namespace tandem::engine {

struct Device {
    std::string name;            // "CUDA0", "ROCm1", "Vulkan0": its log calls its buffers so
    std::string about;           // "NVIDIA GeForce RTX 3090", printable
    std::int64_t total = 0;      // bytes of its memory
    std::int64_t available = 0;  // bytes that nothing used when it was asked
    bool operator==(const Device&) const = default;
};

inline constexpr std::size_t kMostDevices = 64;

// Of what --list-devices prints: "  CUDA0: NVIDIA GeForce RTX 3090 (24124 MiB, 23561 MiB free)". Lines that are none of
// those are passed over, and devices without memory of their own.
std::vector<Device> devices_in(std::string_view words);
// Runs the program for it: not for a thread that others wait for. None where it has none, or is too old to say so.
std::vector<Device> devices_of(const std::filesystem::path& program);

// Bytes that a model takes of each device, in their order, by llama-server's rules: all layers go to the devices, in
// parts as large as their memories, unless `args` say otherwise (--n-gpu-layers, --device, --split-mode none,
// --main-gpu, --tensor-split, --no-kv-offload). Tensors that `args` keep with the CPU by their names or as experts
// (--override-tensor, --cpu-moe, --n-cpu-moe) are not known here: then no weights are counted, until the engine has
// said what it took.
std::vector<std::int64_t> device_need(const std::vector<Device>& devices, const std::vector<std::string>& args,
                                      const MemoryNeed& need, std::int64_t layers);

}  // namespace tandem::engine
