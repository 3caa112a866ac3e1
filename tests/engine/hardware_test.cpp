#include "engine/hardware.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace tandem::engine {
namespace {

namespace fs = std::filesystem;

class Root : public testing::Test {
  protected:
    void SetUp() override { fs::create_directories(root_); }
    void TearDown() override { fs::remove_all(root_); }
    void put(const fs::path& file, std::string_view text) const {
        fs::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    const fs::path root_ = fs::temp_directory_path() / ("tandem-hardware-" + std::to_string(getpid()));
};

using HardwareOf = Root;

TEST_F(HardwareOf, AMachineWithTwoSocketsAndThreads) {
    put("proc/cpuinfo",
        "processor : 0\nmodel name\t: Made CPU\nflags\t\t: fpu avx2 fma avx512f unknown_one\n\nprocessor : 1\nmodel "
        "name : other\n");
    put("proc/meminfo", "MemTotal: 65536000 kB\nMemFree: 1 kB\nMemAvailable: 32768000 kB\n");
    for (int i = 0; i < 8; ++i) {
        const auto cpu = fs::path("sys/devices/system/cpu") / ("cpu" + std::to_string(i));
        put(cpu / "topology/physical_package_id", std::to_string(i / 4));
        put(cpu / "topology/core_id", std::to_string(i % 4 / 2));
        put(cpu / "cache/index3/size", "32768K\n");
    }
    put("sys/devices/system/cpu/online", "0-5,7\n");
    put("sys/devices/system/node/online", "0-1\n");
    put("proc/self/cgroup", "0::/a/b\n");
    put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    put("sys/fs/cgroup/a/memory.max", "1000000000\n");
    const auto found = hardware(root_);
    EXPECT_EQ(found.cpu.name, "Made CPU");
    EXPECT_EQ(found.cpu.features, (std::vector<std::string_view>{"fma", "avx2", "avx512f"}));
    EXPECT_EQ(found.cpu.threads, 7);
    EXPECT_EQ(found.cpu.cores, 4);
    EXPECT_EQ(found.cpu.sockets, 2);
    EXPECT_EQ(found.cpu.nodes, 2);
    EXPECT_EQ(found.cpu.last_cache, 32 << 20);
    EXPECT_DOUBLE_EQ(found.cpu.quota, 1.5);
    EXPECT_EQ(found.memory.total_bytes, 1'000'000'000);
    EXPECT_TRUE(found.memory.limited);
    EXPECT_EQ(found.available_bytes, 32'768'000LL * 1'024);
}

TEST_F(HardwareOf, ACardOfAmdIsReadFromItsDriver) {
    put("sys/class/drm/card0/device/vendor", "0x8086\n");
    put("sys/class/drm/card0/device/mem_info_vram_total", "5\n");
    put("sys/class/drm/card1/device/vendor", "0x1002\n");
    put("sys/class/drm/card1/device/device", "0x744c\n");
    put("sys/class/drm/card1/device/mem_info_vram_total", "25753026560\n");
    put("sys/class/drm/card1/device/mem_info_vram_used", "1000000000\n");
    const auto found = gpus(root_);
    const auto amd = std::ranges::find(found, std::string_view("rocm"), &Gpu::by);
    ASSERT_NE(amd, found.end());
    EXPECT_EQ(amd->name, "AMD 0x744c");
    EXPECT_EQ(amd->total, 25'753'026'560);
    EXPECT_EQ(amd->available, 24'753'026'560);
    EXPECT_EQ(std::ranges::count(found, std::string_view("rocm"), &Gpu::by), 1);
}

TEST_F(HardwareOf, FilesThatSayNonsenseAreNone) {
    put("proc/cpuinfo", "model name\t: \x1b[31mred\n");
    put("sys/devices/system/cpu/online", "x-,,-9999999999999999999\n");
    put("sys/class/drm/card0/device/vendor", "0x1002");
    put("sys/class/drm/card0/device/mem_info_vram_total", "-1");
    const auto found = hardware(root_);
    EXPECT_EQ(found.cpu.name.find('\x1b'), std::string::npos);
    EXPECT_GE(found.cpu.threads, 0);
    EXPECT_EQ(found.memory.total_bytes, 0);
    EXPECT_EQ(std::ranges::count(found.gpus, std::string_view("rocm"), &Gpu::by), 0);
}

TEST(HardwareHere, ThisMachineHasACpuAndMemory) {
    const auto found = hardware();
    EXPECT_GT(found.cpu.threads, 0);
    EXPECT_GT(found.cpu.usable, 0);
    EXPECT_GT(found.memory.total_bytes, 0);
}

}  // namespace
}  // namespace tandem::engine
