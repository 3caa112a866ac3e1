// What a sandbox holds an engine to. Private to engine/, but for who shows it.
#pragma once

#include <string>
#include <vector>

namespace tandem::engine::sandbox {

// The parts that a sandbox is made of. Each is left out where the system does not let us have it.
struct Layers {
    bool namespaces = false;  // user, network, PID and IPC namespaces of its own
    bool mounts = false;      // besides, a root with what the policy names and nothing else, and its own /proc
    bool landlock = false;    // the kernel's file rules (landlock(7))
    bool calls = false;       // a seccomp filter

    bool operator==(const Layers&) const = default;
};

struct Held {
    bool wanted = false;     // false: `engine.sandbox: off`
    bool files = false;      // it reads and writes what the policy names, and nothing else
    bool network = false;    // it can connect to nothing, by any kind of socket
    bool processes = false;  // it sees, signals and traces no other process
    bool calls = false;      // it cannot make the system calls that an inference server never needs
    Layers by;
    std::vector<std::string> missing;  // each layer that could not be had, and why

    bool whole() const { return files && network && processes && calls; }
};

}  // namespace tandem::engine::sandbox
