#include "engine/sandbox/start.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::engine::sandbox {

namespace {

// What to do where a layer is missing; the kernel's own words come before it.
std::string_view advice(Layer layer) {
    switch (layer) {
        case Layer::namespaces:
            return "user namespaces are forbidden to Tandem, by the kernel, AppArmor, systemd or a container's runtime";
        case Layer::mounts:
            return "a container's runtime often forbids it";
        case Layer::landlock:
            return "the kernel has no Landlock, or was started without lsm=landlock";
        case Layer::calls:
            return "the kernel has no seccomp";
        case Layer::none:
            break;
    }
    return "";
}

std::string_view name_of(Layer layer) {
    constexpr std::string_view kNames[] = {"", "namespaces", "own root", "Landlock", "seccomp"};
    return kNames[static_cast<std::size_t>(layer)];
}

void leave_out(Layers& layers, Layer layer) {
    switch (layer) {
        case Layer::namespaces:
            layers.namespaces = layers.mounts = false;
            break;
        case Layer::mounts:
            layers.mounts = false;
            break;
        case Layer::landlock:
            layers.landlock = false;
            break;
        case Layer::calls:
            layers.calls = false;
            break;
        case Layer::none:
            break;
    }
}

std::string not_held(const Held& held) {
    std::vector<std::string> left;
    if (!held.files) left.emplace_back("files");
    if (!held.network) left.emplace_back("network");
    if (!held.processes) left.emplace_back("processes");
    if (!held.calls) left.emplace_back("system calls");
    return join(left, ", ");
}

Result<Confined> start_free(Process::Settings settings) {
    settings.jail = nullptr;
    auto process = Process::start(settings);
    if (!process) return fail(process.error());
    return Confined{std::move(*process), {}};
}

// Tries with ever fewer layers, until one start succeeds or fails for another reason.
class Attempts {
  public:
    Attempts(const Process::Settings& settings, const Policy& policy, config::Sandbox wanted, Random& random, Most most)
        : settings_(settings), policy_(policy), wanted_(wanted), random_(random), layers_(most.layers) {
        version_ = std::min(landlock_version(), most.landlock);
        if (layers_.landlock && version_ == 0) give_up(Layer::landlock, "landlock_create_ruleset");
    }

    Result<Confined> run() {
        while (true) {
            auto held = held_by(policy_, layers_);
            held.missing = missing_;
            if (policy_.network)
                held.missing.push_back(
                    fmt::format("network: {} lets the engine reach other machines", policy_.network_by));
            if (wanted_ == config::Sandbox::require && !held.whole()) return fail(refusal(held));
            auto jail = Jail::make(policy_, layers_, version_, random_);
            if (!jail) {
                give_up(jail.error().layer, jail.error().why);
                continue;
            }
            settings_.jail = &*jail;
            Process::Trouble trouble;
            auto process = Process::start(settings_, &trouble);
            if (process) return Confined{std::move(*process), std::move(held)};
            const auto before = layers_;
            give_up(trouble.layer, trouble.why);
            if (layers_ == before) return fail(process.error());  // no layer is in the way
        }
    }

  private:
    void give_up(Layer layer, const std::string& why) {
        missing_.push_back(fmt::format("{}: {} ({})", name_of(layer), why, advice(layer)));
        leave_out(layers_, layer);
    }

    Error refusal(const Held& held) const {
        return {
            Fault::engine_down,
            fmt::format("engine.sandbox is `require`, and this system does not let Tandem hold: {} ({}); mend that, or "
                        "say `engine: {{ sandbox: auto }}`",
                        not_held(held), join(held.missing, "; "))};
    }

    Process::Settings settings_;
    const Policy& policy_;
    config::Sandbox wanted_;
    Random& random_;
    Layers layers_;
    int version_ = 0;
    std::vector<std::string> missing_;
};

}  // namespace

Result<Confined> start(const Process::Settings& settings, const Policy& policy, config::Sandbox wanted, Random& random,
                       const Most& most) {
    if (wanted == config::Sandbox::off) return start_free(settings);
    return Attempts(settings, policy, wanted, random, most).run();
}

std::string words(const Held& held) {
    if (!held.wanted) return "off";
    std::vector<std::string> all;
    if (held.files) all.emplace_back("files");
    if (held.network) all.emplace_back("network");
    if (held.processes) all.emplace_back("processes");
    if (held.calls) all.emplace_back("system calls");
    return all.empty() ? "nothing" : join(all, ", ");
}

}  // namespace tandem::engine::sandbox
