// The GPUs of this machine and their memory, asked of the drivers: NVIDIA's by its library (libnvidia-ml.so.1, loaded
// where it is there), AMD's by what its driver says in /sys. Nothing of a GPU is changed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::engine {

struct Gpu {
    std::string name;            // as its driver calls it, printable
    std::string_view by;         // "nvml", "rocm"
    std::int64_t total = 0;      // bytes of its memory
    std::int64_t available = 0;  // bytes that nothing uses at the moment
};

inline constexpr unsigned kMostGpus = 64;

// Those whose memory is known, in the order of their drivers; none where there is no driver, or where it fails. `root`
// is "/" but in tests.
std::vector<Gpu> gpus(const std::filesystem::path& root = "/");

}  // namespace tandem::engine
