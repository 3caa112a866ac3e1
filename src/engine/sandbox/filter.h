// The seccomp filter of an engine: what an inference server never needs of the kernel is refused (seccomp(2)).
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "engine/sandbox/held.h"
#include "engine/sandbox/policy.h"

namespace tandem::engine::sandbox {

struct Filter {
    std::vector<sock_filter> program;
    std::vector<std::size_t> pid_places;  // instructions whose constant is the process's own id, known after the fork
};

// `cookie` opens execveat once: its first argument, which the kernel ignores beside an absolute path, must be the
// cookie. Nobody but us knows the cookie, and the program that starts finds it nowhere. With namespaces tkill
// is allowed, since it reaches nobody else; without a root of its own the calls are refused that change a file by its
// path and of which Landlock, or its first two versions, know nothing.
Filter filter_for(const Policy& policy, std::uint64_t cookie, const Layers& layers);

// What the filter says to one call, without the kernel; for tests. The upper 16 bits are SECCOMP_RET_*, the lower
// errno.
std::uint32_t verdict(const Filter& filter, std::uint32_t architecture, int number,
                      const std::uint64_t (&arguments)[6]);

// AUDIT_ARCH_* of this build.
std::uint32_t own_architecture();

}  // namespace tandem::engine::sandbox
