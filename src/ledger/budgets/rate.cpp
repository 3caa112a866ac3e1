#include "ledger/budgets/rate.h"

#include <algorithm>

#include "base/money.h"

namespace tandem::ledger {

namespace {
constexpr std::int64_t kMinute = 60'000;
}

void Rate::add(std::int64_t now_ms, std::int64_t count) {
    if (count == 0) return;
    const auto second = now_ms / 1000;
    auto& bucket = buckets_[static_cast<std::size_t>(second % kSeconds)];
    if (bucket.second != second) bucket = {second, now_ms, 0};
    bucket.last_ms = now_ms;
    bucket.count = saturating_sum(bucket.count, count);
}

std::int64_t Rate::sum(std::int64_t now_ms) const {
    std::int64_t sum = 0;
    for (const auto& bucket : buckets_)
        if (bucket.count > 0 && bucket.last_ms > now_ms - kMinute) sum = saturating_sum(sum, bucket.count);
    return sum;
}

std::int64_t Rate::ms_until(std::int64_t now_ms, std::int64_t most) const {
    std::int64_t until = now_ms;
    for (std::int64_t second = now_ms / 1000 - kSeconds + 1; second <= now_ms / 1000 && sum(until) > most; ++second) {
        const auto& bucket = buckets_[static_cast<std::size_t>((second % kSeconds + kSeconds) % kSeconds)];
        if (bucket.second == second && bucket.count > 0) until = std::max(until, bucket.last_ms + kMinute);
    }
    return until - now_ms;
}

}  // namespace tandem::ledger
