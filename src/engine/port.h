// A TCP port of this machine that an engine shall listen on: which one is free, and whether the process that listens is
// the engine's own. Nothing is sent to a port before that is known. Private to engine/.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/world.h"

namespace tandem::engine {

struct Listener {
    std::uint64_t inode = 0;  // of its socket
    bool everywhere = false;  // at an address beyond loopback
    unsigned user = 0;
};

// Who listens on a port, by proc(5): /proc/net/tcp and tcp6. `root` is "/" but in tests.
std::vector<Listener> listeners_of(int port, const std::filesystem::path& root = "/");

// One on which nobody listens now, below those that the system gives to connections. Errors: unavailable.
Result<int> free_port(Random& random);

// The port of one engine, over one run of its process.
class EnginePort {
  public:
    enum class State { closed, ours, stranger };

    explicit EnginePort(int number = 0) : number_(number) {}
    int number() const { return number_; }
    // `ours`: every listener belongs to the process, its group or its descendants. `stranger`: one does not.
    State look(pid_t engine);
    // Of the last look(): at an address beyond loopback.
    bool everywhere() const { return everywhere_; }
    // Who has it that should not: "python3 (process 123)".
    std::string stranger() const { return stranger_; }

  private:
    int number_;
    bool everywhere_ = false;
    std::set<std::uint64_t> known_;  // inodes of sockets that are the engine's
    std::string stranger_;
};

}  // namespace tandem::engine
