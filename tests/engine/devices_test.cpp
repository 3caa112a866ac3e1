#include "engine/devices.h"

#include <gtest/gtest.h>

namespace tandem::engine {
namespace {

constexpr std::int64_t kMib = 1 << 20;

TEST(Devices, AreReadFromTheProgramsList) {
    const auto found = devices_in(
        "ggml_cuda_init: found 2 CUDA devices:\n"
        "  Device 0: NVIDIA GeForce RTX 3090, compute capability 8.6, VMM: yes\n"
        "Available devices:\n"
        "  CUDA0: NVIDIA GeForce RTX 3090 (24124 MiB, 23561 MiB free)\n"
        "  Vulkan1: AMD Radeon RX 6800 (RADV NAVI21) (16368 MiB, 15000 MiB free)\n"
        "  BLAS: Apple (Accelerate) (0 MiB, 0 MiB free)\n");
    const std::vector<Device> expected = {{"CUDA0", "NVIDIA GeForce RTX 3090", 24124 * kMib, 23561 * kMib},
                                          {"Vulkan1", "AMD Radeon RX 6800 (RADV NAVI21)", 16368 * kMib, 15000 * kMib}};
    EXPECT_EQ(found, expected);
}

TEST(Devices, NoWordsCanMakeOneUp) {
    for (const auto* words :
         {"", "Available devices:\n", "  (none)\n", "  CUDA0: x (MiB, MiB free)\n", "  CUDA0: x (-5 MiB, 1 MiB free)\n",
          "CUDA0: x (5 MiB, 5 MiB free)\n", "  two words: x (5 MiB, 5 MiB free)\n", "  CUDA0: (\n", "  : , (\n"})
        EXPECT_TRUE(devices_in(words).empty()) << words;
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "  CUDA" + std::to_string(i) + ": x (99999999999 MiB, 5 MiB free)\n";
    EXPECT_EQ(devices_in(many).size(), kMostDevices);
    EXPECT_LE(devices_in(many)[0].total, 1LL << 44);
}

struct Case {
    const char* what;
    std::vector<std::string> args;
    std::vector<std::int64_t> bytes;  // in MiB
};

TEST(Devices, AModelIsSplitAsTheServerSplitsIt) {
    const std::vector<Device> two = {{"CUDA0", "", 24'000 * kMib, 0}, {"CUDA1", "", 8'000 * kMib, 0}};
    MemoryNeed need;
    need.weights = 4'000 * kMib;
    need.attention = 800 * kMib;
    need.compute = 100 * kMib;
    const std::vector<Case> cases = {
        {"by their memories", {}, {3'700, 1'300}},
        {"none", {"-ngl", "0"}, {0, 0}},
        {"half of the layers", {"--n-gpu-layers=20"}, {1'900, 700}},
        {"more layers than there are", {"-ngl", "99"}, {3'700, 1'300}},
        {"one by name", {"--device", "CUDA1"}, {0, 4'900}},
        {"no device", {"-dev", "none"}, {0, 0}},
        {"one in all", {"-sm", "none", "-mg", "1"}, {0, 4'900}},
        {"one in all, by default the first", {"-sm", "none"}, {4'900, 0}},
        {"as the owner splits", {"-ts", "1,3"}, {1'300, 3'700}},
        {"nothing for the second", {"-ts", "1"}, {4'900, 0}},
        {"the cache stays", {"-nkvo"}, {3'100, 1'100}},
        {"experts stay, so it is not known", {"--cpu-moe"}, {700, 300}},
    };
    for (const auto& one : cases) {
        auto bytes = device_need(two, one.args, need, 40);
        for (auto& each : bytes) each /= kMib;
        EXPECT_EQ(bytes, one.bytes) << one.what;
    }
    EXPECT_TRUE(device_need({}, {}, need, 40).empty());
}

}  // namespace
}  // namespace tandem::engine
