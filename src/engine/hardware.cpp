#include "engine/hardware.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "base/text.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr int kMostCpus = 4'096;
constexpr std::size_t kLongestName = 120;

// What ggml's kernels ask for (ggml-cpu: x86 by cpuid, arm by hwcap), as Linux calls it.
constexpr std::array<std::string_view, 17> kFeatures{{"sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f",
                                                      "avx512vl", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_int8",
                                                      "asimddp", "asimdhp", "i8mm", "sve", "sve2"}};

std::string line_in(const fs::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return std::string(trim(line));
}

std::int64_t number_in(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return std::max<std::int64_t>(number, 0);
}

// "0-3,8" as 5 (Linux's cpulist).
int count_of_list(std::string_view list) {
    std::int64_t count = 0;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const auto one = trim(list.substr(0, comma));
        const auto dash = one.find('-');
        if (!one.empty())
            count += dash == std::string_view::npos ? 1 : number_in(one.substr(dash + 1)) - number_in(one) + 1;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return static_cast<int>(std::clamp<std::int64_t>(count, 0, kMostCpus));
}

// "32768K" as bytes.
std::int64_t size_of(std::string_view text) {
    const auto number = std::min<std::int64_t>(number_in(text), 1L << 40);
    if (text.ends_with('K')) return number << 10;
    return text.ends_with('M') ? number << 20 : number;
}

void read_info(const fs::path& root, Cpu& cpu) {
    std::ifstream info(root / "proc/cpuinfo");
    std::set<std::string, std::less<>> flags;
    for (std::string line; std::getline(info, line) && !line.empty();) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) continue;
        const auto key = trim(std::string_view(line).substr(0, colon));
        const auto value = trim(std::string_view(line).substr(colon + 1));
        if (key == "model name" || key == "Model") cpu.name = printable(value, kLongestName);
        if (key != "flags" && key != "Features") continue;
        std::istringstream words{std::string(value)};
        for (std::string word; words >> word;) flags.insert(word);
    }
    for (const auto feature : kFeatures)
        if (flags.contains(feature)) cpu.features.push_back(feature);
}

void read_topology(const fs::path& root, Cpu& cpu) {
    const auto cpus = root / "sys/devices/system/cpu";
    std::set<std::pair<std::string, std::string>> cores;
    std::set<std::string> sockets;
    for (int i = 0; i < kMostCpus; ++i) {
        const auto one = cpus / fmt::format("cpu{}", i);
        std::error_code error;
        if (!fs::exists(one, error)) break;
        const auto socket = line_in(one / "topology/physical_package_id"), core = line_in(one / "topology/core_id");
        if (core.empty()) continue;  // it is offline
        sockets.insert(socket);
        cores.emplace(socket, core);
        for (int index = 0; index < 8; ++index)
            cpu.last_cache = std::max(cpu.last_cache, size_of(line_in(one / fmt::format("cache/index{}/size", index))));
    }
    cpu.threads = count_of_list(line_in(cpus / "online"));
    cpu.cores = cores.empty() ? cpu.threads : static_cast<int>(cores.size());
    cpu.sockets = std::max<int>(1, static_cast<int>(sockets.size()));
    cpu.nodes = std::max(1, count_of_list(line_in(root / "sys/devices/system/node/online")));
}

// cpu.max of version 2 ("50000 100000", "max 100000"), cpu.cfs_quota_us of version 1; the lowest up to the mount.
double quota_of(const fs::path& root) {
    double lowest = 0;
    const auto take = [&](std::int64_t quota, std::int64_t period) {
        if (quota <= 0 || period <= 0) return;
        const auto cpus = static_cast<double>(quota) / static_cast<double>(period);
        if (lowest == 0 || cpus < lowest) lowest = cpus;
    };
    std::ifstream groups(root / "proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        const auto first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const auto controllers = "," + line.substr(first + 1, second - first - 1) + ",";
        const bool two = controllers == ",,";
        if (!two && controllers.find(",cpu,") == std::string::npos) continue;
        const auto mount = root / "sys/fs/cgroup" / (two ? "" : "cpu");
        for (auto at = fs::path(line.substr(second + 1)).relative_path();; at = at.parent_path()) {
            const auto max = line_in(mount / at / "cpu.max");
            if (two && !max.starts_with("max"))
                take(number_in(max), number_in(max.substr(std::min(max.find(' ') + 1, max.size()))));
            if (!two)
                take(number_in(line_in(mount / at / "cpu.cfs_quota_us")),
                     number_in(line_in(mount / at / "cpu.cfs_period_us")));
            if (at.empty()) break;
        }
    }
    return lowest;
}

std::int64_t available(const fs::path& root) {
    std::ifstream info(root / "proc/meminfo");
    std::string word;
    while (info >> word)
        if (std::int64_t kib = 0; word == "MemAvailable:" && info >> kib) return kib * 1024;
    return 0;
}

}  // namespace

Hardware hardware(const fs::path& root) {
    Hardware found;
    auto& cpu = found.cpu;
#if defined(__x86_64__)
    cpu.architecture = "x86-64";
#elif defined(__aarch64__)
    cpu.architecture = "arm64";
#else
    cpu.architecture = "other";
#endif
    read_info(root, cpu);
    read_topology(root, cpu);
    cpu.quota = quota_of(root);
    cpu.usable = cpu.threads;
    cpu_set_t mask;
    if (root == "/" && sched_getaffinity(0, sizeof mask, &mask) == 0) {
        cpu.usable = CPU_COUNT(&mask);
        cpu.usable_is_known = true;
        if (cpu.threads == 0) cpu.threads = cpu.cores = cpu.usable;
    }
    found.memory = machine_memory(root);
    found.available_bytes = available(root);
    found.gpus = gpus(root);
    return found;
}

}  // namespace tandem::engine
