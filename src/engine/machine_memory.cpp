#include "engine/machine_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <string_view>

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kNoLimit = 1L << 60;  // bytes; version 1 writes about 2^63 where there is none

std::optional<std::int64_t> number_in(const fs::path& file) {
    std::ifstream in(file);
    std::string text;
    std::int64_t number = 0;
    if (!(in >> text)) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number <= 0 || number > kNoLimit)
        return std::nullopt;
    return number;
}

// The lowest limit from a group up to its mount. In a container the path may be one of outside: the mount itself
// is looked at in any case.
void lower_by(const fs::path& mount, std::string_view group, const char* name, MachineMemory& memory) {
    auto at = fs::path(group).relative_path();
    while (true) {
        const auto limit = number_in(mount / at / name);
        if (limit && (memory.total_bytes == 0 || *limit < memory.total_bytes)) memory = {*limit, true};
        if (at.empty()) return;
        at = at.parent_path();
    }
}

}  // namespace

MachineMemory machine_memory(const fs::path& root) {
    MachineMemory memory;
    std::ifstream info(root / "proc/meminfo");
    std::string word;
    while (info >> word)
        if (std::int64_t kib = 0; word == "MemTotal:" && info >> kib) memory.total_bytes = kib * 1024;
    std::ifstream groups(root / "proc/self/cgroup");
    // "0::/path" is version 2; "4:memory:/path" version 1.
    for (std::string line; std::getline(groups, line);) {
        const std::string_view text = line;
        const auto first = text.find(':'), second = text.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const auto controllers = text.substr(first + 1, second - first - 1);
        if (controllers.empty())
            lower_by(root / "sys/fs/cgroup", text.substr(second + 1), "memory.max", memory);
        else if (controllers == "memory")
            lower_by(root / "sys/fs/cgroup/memory", text.substr(second + 1), "memory.limit_in_bytes", memory);
    }
    return memory;
}

std::int64_t prompt_cache_mib(const MachineMemory& memory) {
    const auto usual = std::clamp<std::int64_t>(memory.total_bytes / 16 >> 20, 256, 8'192);
    if (memory.models_bytes == 0) return usual;
    return std::min(usual, std::max<std::int64_t>(memory.models_bytes / 8 >> 20, 32));
}

std::vector<std::string> repacked_types() {
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2")) return {};
    std::vector<std::string> types = {"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"};
    if (__builtin_cpu_supports("avx512f")) types.emplace_back("Q2_K");
    return types;
#elif defined(__aarch64__)
    return {"Q4_0", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "IQ4_NL", "MXFP4"};
#else
    return {};
#endif
}

}  // namespace tandem::engine
