// The kernel's file rules for a policy (landlock(7)). Made before the fork; put in force after it.
#pragma once

#include <cstdint>

#include "base/descriptor.h"
#include "base/result.h"
#include "engine/sandbox/policy.h"

namespace tandem::engine::sandbox {

// The version of the kernel's Landlock; 0 where it has none, or it is off.
int landlock_version();

class Ruleset {
  public:
    // Rules as a kernel of this version knows them; a newer kernel takes those of an older one. Errors: unavailable.
    static Result<Ruleset> make(const Policy& policy, int version);
    Ruleset(Ruleset&& other) noexcept : fd_(std::exchange(other.fd_, -1)), version_(other.version_) {}
    Ruleset& operator=(Ruleset&&) = delete;
    ~Ruleset();
    int fd() const { return fd_; }

    // Only what async-signal-safe(7) allows, and no_new_privs must be set. False, with errno, where it fails.
    bool also(May may, int folder) const;  // a folder that did not exist when the rules were made
    bool restrict_self() const;

  private:
    Ruleset(int fd, int version) : fd_(fd), version_(version) {}
    int fd_;
    int version_;
};

// The rights of one place by version and by what it is, as bits of the kernel's; for tests.
std::uint64_t rights_of(May may, bool folder, int version);

}  // namespace tandem::engine::sandbox
