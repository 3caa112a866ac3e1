// The part of the world that a run depends on and a test replaces: time and randomness.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

namespace tandem {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline std::int64_t unix_ms(WallTime time) {
    return time.time_since_epoch().count();
}

// Both clocks; safe from any thread.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual SteadyTime steady() const = 0;  // for durations and deadlines
    virtual WallTime wall() const = 0;      // for records
};

// Unpredictable bytes for ids and keys; safe from any thread.
class Random {
  public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;
};

std::unique_ptr<Clock> system_clock();
std::unique_ptr<Random> system_random();
// The same numbers for the same seed, for tests and replays.
std::unique_ptr<Random> seeded_random(std::uint64_t seed);

}  // namespace tandem
