// Starts an engine in as much of a sandbox as the system lets us have.
#pragma once

#include "config/config.h"
#include "engine/process.h"
#include "engine/sandbox/held.h"
#include "engine/sandbox/policy.h"

namespace tandem::engine::sandbox {

struct Confined {
    Process process;
    Held held;
};

// What a sandbox may be made of at most; a test takes less.
struct Most {
    Layers layers{true, true, true, true};
    int landlock = 1'000'000;  // version
};

// A layer that cannot be had is left out, and said in held.missing, unless the owner requires that files, network,
// processes and calls are held. Errors: unavailable, which then says what is missing and what to do.
Result<Confined> start(const Process::Settings& settings, const Policy& policy, config::Sandbox wanted, Random& random,
                       const Most& most = {});

// "files, network, processes, system calls", what is held; "nothing" where it is nothing.
std::string words(const Held& held);

}  // namespace tandem::engine::sandbox
