#include "base/world.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <random>

namespace tandem {

namespace {

class SystemClock final : public Clock {
  public:
    SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
    WallTime wall() const override {
        return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    }
};

class SystemRandom final : public Random {
  public:
    std::uint64_t next() override {
        // One system call fills a block for the thread.
        thread_local std::array<std::uint64_t, 32> block;
        thread_local std::size_t left = 0;
        if (left == 0) {
            if (getrandom(block.data(), sizeof block, 0) != static_cast<ssize_t>(sizeof block)) std::abort();
            left = block.size();
        }
        return block[--left];
    }
};

class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t next() override {
        const std::lock_guard lock(mutex_);
        return engine_();
    }

  private:
    std::mutex mutex_;
    std::mt19937_64 engine_;
};

}  // namespace

std::unique_ptr<Clock> system_clock() {
    return std::make_unique<SystemClock>();
}
std::unique_ptr<Random> system_random() {
    return std::make_unique<SystemRandom>();
}
std::unique_ptr<Random> seeded_random(std::uint64_t seed) {
    return std::make_unique<SeededRandom>(seed);
}

}  // namespace tandem
