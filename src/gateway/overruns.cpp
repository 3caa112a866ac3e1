#include "gateway/overruns.h"

#include <algorithm>
#include <cmath>

namespace tandem::gateway {

Overruns::Overrun Overruns::now_of(const Overrun& known, SteadyTime now) {
    const std::chrono::duration<double, std::ratio<60>> passed = std::max(now - known.at, SteadyTime::duration(0));
    const auto left = std::exp2(-passed.count() / static_cast<double>(kHalves.count()));
    return {known.times * left, known.tokens * left, now};
}

void Overruns::note(const std::string& model, std::int64_t said, std::int64_t bound, SteadyTime now) {
    constexpr double kForgets = 0.125;  // with an answer within its bound
    if (bound <= 0) return;
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(model);
    if (said <= bound) {
        if (found == known_.end()) return;
        auto& known = found->second = now_of(found->second, now);
        known.times *= 1 - kForgets;
        known.tokens *= 1 - kForgets;
        if (known.times < kForgets || known.tokens < 1) known_.erase(found);
        return;
    }
    if (found == known_.end() && known_.size() >= kMostModels) return;
    auto& known = known_[model];
    known = now_of(known, now);
    const auto beyond = static_cast<double>(said - bound);
    known.times = std::max(known.times, std::min(kMostTimes - 1, beyond / static_cast<double>(bound)));
    known.tokens = std::max(known.tokens, beyond);
}

std::int64_t Overruns::most(const std::string& model, std::int64_t bound, SteadyTime now) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(model);
    if (found == known_.end()) return bound;
    const auto known = now_of(found->second, now);
    const auto beyond = std::min(known.tokens, known.times * static_cast<double>(bound));
    return bound + static_cast<std::int64_t>(std::ceil(beyond));
}

}  // namespace tandem::gateway
