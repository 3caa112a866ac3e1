// A root for an engine in which there is what its policy names, and nothing else.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/sandbox/policy.h"

namespace tandem::engine::sandbox {

class Mounts {
  public:
    // Makes the mount points below the engine's own folder; they are empty for everybody but the engine. Errors:
    // unavailable.
    static Result<Mounts> make(const Policy& policy);

    // In a process with user, mount and PID namespaces of its own; only what async-signal-safe(7) allows. Where it
    // fails: the step's name, and errno; else nullptr.
    const char* enter() const;

  private:
    struct Bind {
        std::string from, to;
        unsigned long flags;  // of the second mount, which makes it read-only
    };
    std::string root_, proc_;
    unsigned long root_flags_ = 0;
    std::vector<Bind> binds_;
    std::vector<std::string> shared_;  // below proc_
};

}  // namespace tandem::engine::sandbox
