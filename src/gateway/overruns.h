// How far beyond their bound providers have answered of late: what is reserved for the next answer of such a model is
// as much more. Safe from any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace tandem::gateway {

class Overruns {
  public:
    static constexpr std::size_t kMostModels = 10'000;
    static constexpr double kMost = 100;  // times the bound

    // A model was to say at most `bound` tokens, and was paid for `said`. Answers within their bound bring it back.
    void note(const std::string& model, std::int64_t said, std::int64_t bound) {
        constexpr double kForgets = 0.125;
        if (bound <= 0) return;
        const std::lock_guard lock(mutex_);
        const auto known = times_.find(model);
        if (said <= bound) {
            if (known == times_.end()) return;
            known->second -= (known->second - 1) * kForgets;
            if (known->second < 1 + kForgets) times_.erase(known);
            return;
        }
        if (known == times_.end() && times_.size() >= kMostModels) return;
        auto& times = times_[model];
        times = std::max(times, std::min(kMost, static_cast<double>(said) / static_cast<double>(bound)));
    }
    // The most that it may say to a bound, by what it has done.
    std::int64_t most(const std::string& model, std::int64_t bound) const {
        const std::lock_guard lock(mutex_);
        const auto known = times_.find(model);
        return known == times_.end() ? bound : static_cast<std::int64_t>(static_cast<double>(bound) * known->second);
    }

  private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, double> times_;
};

}  // namespace tandem::gateway
