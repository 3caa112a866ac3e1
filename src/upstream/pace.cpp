#include "upstream/pace.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tandem::upstream {

void Pace::note(const std::string& model, bool stream, std::int64_t ms) {
    const std::lock_guard lock(mutex_);
    auto& times = times_[{model, stream}];
    times.ms[times.count++ % kKept] =
        static_cast<std::int32_t>(std::clamp<std::int64_t>(ms, 0, std::numeric_limits<std::int32_t>::max()));
}

std::optional<milliseconds> Pace::quantile(const std::string& model, bool stream, double q) const {
    std::vector<std::int32_t> sorted;
    {
        const std::lock_guard lock(mutex_);
        const auto found = times_.find({model, stream});
        if (found == times_.end() || found->second.count < kFewest) return std::nullopt;
        const auto& times = found->second;
        sorted.assign(times.ms.begin(), times.ms.begin() + static_cast<std::ptrdiff_t>(std::min(times.count, kKept)));
    }
    // The smallest time that at least this share does not exceed.
    const auto rank = static_cast<std::size_t>(std::ceil(q * static_cast<double>(sorted.size())));
    const auto at = static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, sorted.size()) - 1);
    std::ranges::nth_element(sorted, sorted.begin() + at);
    return milliseconds(sorted[static_cast<std::size_t>(at)]);
}

}  // namespace tandem::upstream
