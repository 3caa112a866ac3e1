#include "energy/meter.h"

#include <utility>

namespace tandem::energy {

std::optional<Drawn> Meter::take(std::int64_t now_ms, const Counter& counter) {
    const auto last = std::exchange(last_, Look{now_ms, counter.uj});
    if (!last) return {};
    const auto elapsed = now_ms - last->time;
    if (elapsed <= 0 || elapsed > kLongestGap) return {};
    auto uj = counter.uj - last->uj;
    // The kernel: the counter is reset at max_energy_range_uj (Documentation/power/powercap/powercap.rst).
    if (uj < 0 && counter.range_uj > 0 && last->uj <= counter.range_uj) uj += counter.range_uj;
    if (uj < 0 || uj > kMostWatts * 1'000 * elapsed) return {};  // a watt is 1,000 microjoules in a millisecond
    return Drawn{{last->time, now_ms}, uj};
}

}  // namespace tandem::energy
