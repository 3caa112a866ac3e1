// How far beyond their bound models have answered of late: what is reserved for the next answer of such a model is as
// much more. Safe from any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/world.h"

namespace tandem::gateway {

class Overruns {
  public:
    static constexpr std::size_t kMostModels = 10'000;
    static constexpr double kMostTimes = 100;
    static constexpr std::chrono::minutes kHalves{10};  // after so long, half of it is forgotten

    // A model was to say at most `bound` tokens, and was paid for `said`. Answers within their bound bring it back.
    void note(const std::string& model, std::int64_t said, std::int64_t bound, SteadyTime now);
    // The most that the model may say to a bound, by what it has done: as many times the bound, or as many tokens
    // beyond it, whichever is less. So a word too many to a bound of one token makes no answer of 2,000 dear.
    std::int64_t most(const std::string& model, std::int64_t bound, SteadyTime now) const;

  private:
    struct Overrun {
        double times = 0;   // said / bound - 1
        double tokens = 0;  // said - bound
        SteadyTime at;
    };
    static Overrun now_of(const Overrun& known, SteadyTime now);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, Overrun> known_;
};

}  // namespace tandem::gateway
