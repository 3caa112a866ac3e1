#include "engine/gpus.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <limits>

#include "base/text.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestName = 96;  // NVML_DEVICE_NAME_V2_BUFFER_SIZE

// NVML's interface as its reference manual has it: 0 is success, a device is a pointer.
struct NvmlMemory {
    unsigned long long total = 0, free = 0, used = 0;
};
struct Nvml {
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    int (*count)(unsigned* count) = nullptr;
    int (*device)(unsigned index, void** device) = nullptr;
    int (*name)(void* device, char* name, unsigned size) = nullptr;
    int (*memory)(void* device, NvmlMemory* memory) = nullptr;
};

template <typename Function>
bool find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

std::int64_t bounded(unsigned long long bytes) {
    return static_cast<std::int64_t>(std::min<unsigned long long>(bytes, std::numeric_limits<std::int64_t>::max()));
}

std::vector<Gpu> of_nvml(const Nvml& nvml) {
    std::vector<Gpu> found;
    unsigned count = 0;
    if (nvml.count(&count) != 0) return found;
    for (unsigned i = 0; i < std::min(count, kMostGpus); ++i) {
        void* device = nullptr;
        NvmlMemory memory;
        std::array<char, kLongestName> name{};
        if (nvml.device(i, &device) != 0 || nvml.memory(device, &memory) != 0) continue;
        if (nvml.name(device, name.data(), name.size() - 1) != 0) name.fill('\0');
        found.push_back({printable(name.data(), kLongestName), "nvml", bounded(memory.total), bounded(memory.free)});
    }
    return found;
}

std::vector<Gpu> of_nvidia() {
    void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return {};
    Nvml nvml;
    const bool whole = find(library, "nvmlInit_v2", nvml.init) && find(library, "nvmlShutdown", nvml.shutdown) &&
                       find(library, "nvmlDeviceGetCount_v2", nvml.count) &&
                       find(library, "nvmlDeviceGetHandleByIndex_v2", nvml.device) &&
                       find(library, "nvmlDeviceGetName", nvml.name) &&
                       find(library, "nvmlDeviceGetMemoryInfo", nvml.memory);
    std::vector<Gpu> found;
    if (whole && nvml.init() == 0) {
        found = of_nvml(nvml);
        nvml.shutdown();
    }
    dlclose(library);
    return found;
}

std::string word_in(const fs::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return std::string(trim(line));
}

std::int64_t number_in(const fs::path& file) {
    const auto text = word_in(file);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::max<std::int64_t>(number, 0) : 0;
}

// amdgpu's files, which ROCm's own tools read: mem_info_vram_total and mem_info_vram_used of a card.
std::vector<Gpu> of_amd(const fs::path& root) {
    std::vector<Gpu> found;
    for (unsigned card = 0; card < kMostGpus; ++card) {
        const auto device = root / "sys/class/drm" / fmt::format("card{}", card) / "device";
        if (word_in(device / "vendor") != "0x1002") continue;
        const auto total = number_in(device / "mem_info_vram_total");
        if (total == 0) continue;
        auto name = printable(word_in(device / "product_name"), kLongestName);
        if (name.empty()) name = "AMD " + printable(word_in(device / "device"), kLongestName);
        found.push_back({std::move(name), "rocm", total,
                         std::max<std::int64_t>(0, total - number_in(device / "mem_info_vram_used"))});
    }
    return found;
}

}  // namespace

std::vector<Gpu> gpus(const fs::path& root) {
    auto found = of_nvidia();
    std::ranges::move(of_amd(root), std::back_inserter(found));
    return found;
}

}  // namespace tandem::engine
