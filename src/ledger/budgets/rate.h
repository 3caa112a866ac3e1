// How much was counted in the last 60 seconds.
#pragma once

#include <array>
#include <cstdint>

namespace tandem::ledger {

// In buckets of a second. A bucket counts for as long as the last that went into it does, so that no 60 seconds ever
// hold more than what was counted.
class Rate {
  public:
    static constexpr std::int64_t kSeconds = 61;  // a minute, and the second that it began in
    void add(std::int64_t now_ms, std::int64_t count);
    std::int64_t sum(std::int64_t now_ms) const;
    // How long until the sum is `most` or less, if nothing is added.
    std::int64_t ms_until(std::int64_t now_ms, std::int64_t most) const;

  private:
    struct Bucket {
        std::int64_t second = -1;
        std::int64_t last_ms = 0;
        std::int64_t count = 0;
    };
    std::array<Bucket, kSeconds> buckets_;
};

}  // namespace tandem::ledger
