#include "engine/port.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/descriptor.h"
#include "base/text.h"
#include "engine/process_tree.h"

namespace tandem::engine {

namespace fs = std::filesystem;

namespace {

constexpr int kLowest = 20'000, kPorts = 12'000;  // below net.ipv4.ip_local_port_range as it usually is
constexpr int kTries = 50;

// The local address of a listener as /proc/net/tcp has it: words of 8 hexadecimal digits in the machine's byte order.
bool is_loopback(std::string_view address) {
    constexpr std::string_view kV6 = "00000000000000000000000001000000", kMapped = "0000000000000000FFFF0000";
    if (address.size() == 32 && address.starts_with(kMapped)) address.remove_prefix(kMapped.size());
    return address == kV6 || (address.size() == 8 && address.ends_with("7F"));
}

void add_listeners(const fs::path& table, int port, std::vector<Listener>& found) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);  // names of the columns
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string slot, local, remote, state, queues, timer, retransmits, timeout;
        Listener one;
        if (!(fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> one.user >> timeout >>
              one.inode))
            continue;
        const auto colon = local.find(':');
        if (state != "0A" || colon == std::string::npos) continue;  // TCP_LISTEN
        if (std::strtol(local.c_str() + colon + 1, nullptr, 16) != port) continue;
        one.everywhere = !is_loopback(std::string_view(local).substr(0, colon));
        found.push_back(one);
    }
}

// The sockets that a process holds, as far as it lets us see them.
bool holds(pid_t pid, std::uint64_t inode) {
    const auto wanted = fmt::format("socket:[{}]", inode);
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), error))
        if (fs::read_symlink(entry.path(), error) == wanted) return true;
    return false;
}

std::string holder_of(const Listener& listener) {
    for (const auto& one : all_processes())
        if (holds(one.pid, listener.inode)) return fmt::format("{} (process {})", printable(one.name, 40), one.pid);
    return fmt::format("a process of user {}", listener.user);
}

}  // namespace

std::vector<Listener> listeners_of(int port, const fs::path& root) {
    std::vector<Listener> found;
    for (const auto* table : {"proc/net/tcp", "proc/net/tcp6"}) add_listeners(root / table, port, found);
    return found;
}

Result<int> free_port(Random& random) {
    for (int tries = 0; tries < kTries; ++tries) {
        const int port = kLowest + static_cast<int>(random.next() % kPorts);
        const Descriptor probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        if (bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            listeners_of(port).empty())
            return port;
    }
    return fail(Fault::engine_down, fmt::format("no TCP port from {} to {} is free", kLowest, kLowest + kPorts));
}

EnginePort::State EnginePort::look(pid_t engine) {
    const auto listeners = listeners_of(number_);
    everywhere_ = std::ranges::any_of(listeners, &Listener::everywhere);
    if (listeners.empty()) return State::closed;
    const auto known = [this](const Listener& one) { return known_.contains(one.inode); };
    if (std::ranges::all_of(listeners, known)) return State::ours;
    const auto own = tree_of(engine);
    for (const auto& listener : listeners) {
        if (known(listener)) continue;
        const bool ours = std::ranges::any_of(own, [&](const auto& one) { return holds(one.pid, listener.inode); });
        if (!ours) {
            stranger_ = holder_of(listener);
            return State::stranger;
        }
        known_.insert(listener.inode);
    }
    return State::ours;
}

}  // namespace tandem::engine
