// The sandbox of one start: all that is prepared before the fork, and the steps behind it. Private to engine/.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/world.h"
#include "engine/sandbox/filter.h"
#include "engine/sandbox/held.h"
#include "engine/sandbox/landlock.h"
#include "engine/sandbox/mounts.h"
#include "engine/sandbox/policy.h"

namespace tandem::engine::sandbox {

// The layers in the order in which one that fails is given up.
enum class Layer : int { none, namespaces, mounts, landlock, calls };

class Jail {
  public:
    // With these layers. `landlock` is the version of the rules. Where one cannot be prepared: its layer, and why.
    struct Refused {
        Layer layer;
        std::string why;
    };
    static std::expected<Jail, Refused> make(const Policy& policy, Layers layers, int landlock, Random& random);

    const Policy& policy() const { return policy_; }
    const Layers& layers() const { return layers_; }
    int kept_file() const { return ruleset_ ? ruleset_->fd() : -1; }  // to be left open until close_files()
    // Of clone(2), beside SIGCHLD; 0 where fork does.
    unsigned long clone_flags() const;

    // The steps behind the fork, in this order; only what async-signal-safe(7) allows. Each gives the layer that
    // failed, with errno, and `step` says at what.
    Layer enter_root(const char*& step);
    Layer close_files(const char*& step);
    // The filter, and then the program.
    Layer become(char* const* arguments, char* const* environment, const char*& step);

  private:
    Jail(const Policy& policy, Layers layers) : policy_(policy), layers_(layers) {}
    Policy policy_;
    Layers layers_;
    std::string run_;
    bool counts_tasks_ = false;
    std::optional<Mounts> mounts_;
    std::optional<Ruleset> ruleset_;
    std::uint64_t cookie_ = 0;
    Filter filter_;
};

// What a policy is held to by these layers.
Held held_by(const Policy& policy, Layers layers);

}  // namespace tandem::engine::sandbox
