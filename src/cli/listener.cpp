#include "cli/listener.h"

#include <fmt/format.h>
#include <unistd.h>

#include <sstream>

#include "base/file.h"

namespace tandem::cli {

bool listeners_belong_to(const std::string& table, std::uint16_t port, uid_t one, uid_t other) {
    constexpr auto kListens = "0A";
    const auto wanted = fmt::format(":{:04X}", port);
    std::istringstream lines(table);
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream fields(line);
        std::string number, local, remote, state, queues, timer, retries;
        uid_t user = 0;
        if (!(fields >> number >> local >> remote >> state >> queues >> timer >> retries >> user)) continue;
        if (!local.ends_with(wanted) || state != kListens) continue;
        if (user != 0 && user != one && user != other) return false;
    }
    return true;
}

bool is_trusted_port(std::uint16_t port, uid_t owner) {
    for (const auto* name : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        if (!listeners_belong_to(whole_file(name), port, geteuid(), owner)) return false;
    }
    return true;
}

}  // namespace tandem::cli
