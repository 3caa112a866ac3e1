#include "engine/process_stat.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace tandem::engine {

std::optional<ProcessStat> process_stat(pid_t pid, const std::filesystem::path& root) {
    ProcessStat result;
    std::ifstream stat(root / "proc" / std::to_string(pid) / "stat");
    const std::string line{std::istreambuf_iterator<char>(stat), {}};
    // The name of the program stands in parentheses, and may have any letters.
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos) return std::nullopt;
    std::istringstream fields(line.substr(name_end + 1));
    constexpr int kUserTime = 14, kSystemTime = 15;  // numbers of fields in proc(5); the state is the third
    std::string field;
    std::int64_t ticks = 0;
    for (int number = 3; number <= kSystemTime && fields >> field; ++number) {
        if (number == 3) {
            if (field == "Z" || field == "X") return std::nullopt;
            result.stopped = field == "T";
        }
        if (number >= kUserTime) ticks += std::strtoll(field.c_str(), nullptr, 10);
    }
    static const auto per_second = std::max(1L, sysconf(_SC_CLK_TCK));
    result.cpu = std::chrono::milliseconds(ticks * 1000 / per_second);
    result.memory = resident_of(pid, root);
    return result;
}

std::int64_t ended_for_memory(const std::filesystem::path& root) {
    std::ifstream counters(root / "proc/vmstat");
    std::string word;
    std::int64_t number = 0;
    while (counters >> word >> number)
        if (word == "oom_kill") return number;
    return 0;
}

}  // namespace tandem::engine
