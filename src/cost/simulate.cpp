#include "cost/simulate.h"

#include <algorithm>
#include <cmath>

#include "base/splitmix.h"

namespace tandem::cost {

namespace {

struct Drawn {
    std::size_t at;
    double low, likely, high;
    SplitMix64 random;
};

// Each field has a stream of its own, which does not depend on what else is a range.
std::vector<Drawn> drawn_fields(const Option& option, std::uint64_t seed) {
    std::vector<Drawn> drawn;
    for (std::size_t i = 0; i < kFields; ++i) {
        const auto& range = option.values[i];
        if (!range || !range->uncertain()) continue;
        const auto stream = SplitMix64(seed ^ ((i + 1) * 0xD1342543DE82EF95ULL)).next();
        drawn.push_back({i, static_cast<double>(range->low), static_cast<double>(range->likely),
                         static_cast<double>(range->high), SplitMix64(stream)});
    }
    return drawn;
}

// From 0 to 1, 1 left out, with all 53 bits of a double.
double uniform(SplitMix64& random) {
    return static_cast<double>(random.next() >> 11U) * 0x1.0p-53;
}

}  // namespace

double triangular(double low, double likely, double high, double u) {
    const double width = high - low;
    if (width <= 0) return low;
    const double turn = (likely - low) / width;
    if (u < turn) return low + std::sqrt(u * width * (likely - low));
    return high - std::sqrt((1 - u) * width * (high - likely));
}

Simulation simulate(const Option& option, int draws, std::uint64_t seed) {
    Simulation out;
    out.draws = draws;
    out.seed = seed;
    auto in = as_doubles(likely_inputs(option));
    auto drawn = drawn_fields(option, seed);
    constexpr int kNever = INT32_MAX;
    std::vector<int> months;
    std::vector<double> gains;
    months.reserve(static_cast<std::size_t>(draws));
    gains.reserve(static_cast<std::size_t>(draws));
    int paid = 0;
    for (int i = 0; i < draws; ++i) {
        for (auto& each : drawn)
            in.values[each.at] = triangular(each.low, each.likely, each.high, uniform(each.random));
        const auto payback = payback_of(in);
        paid += payback.cumulative ? 1 : 0;
        months.push_back(payback.cumulative.value_or(kNever));
        gains.push_back(payback.gain);
        out.mean_gain += payback.gain / draws;
    }
    out.probability = static_cast<double>(paid) / draws;
    out.standard_error = std::sqrt(out.probability * (1 - out.probability) / draws);
    std::ranges::sort(months);
    std::ranges::sort(gains);
    constexpr std::array<double, 3> kParts = {0.1, 0.5, 0.9};
    for (std::size_t i = 0; i < kParts.size(); ++i) {
        // The smallest value that this part of the draws does not exceed.
        const auto rank = static_cast<std::size_t>(std::ceil(kParts[i] * draws)) - 1;
        if (months[rank] != kNever) out.months[i] = months[rank];
        out.gain[i] = gains[rank];
    }
    return out;
}

std::vector<Bar> tornado(const Option& option) {
    std::vector<Bar> bars;
    const auto likely = likely_inputs(option);
    for (std::size_t i = 0; i < kFields; ++i) {
        const auto& range = option.values[i];
        if (!range || !range->uncertain()) continue;
        auto in = likely;
        Bar bar;
        bar.field = static_cast<Field>(i);
        bar.range = *range;
        in.values[i] = range->low;
        bar.at_low = payback_of(in);
        in.values[i] = range->high;
        bar.at_high = payback_of(in);
        bar.swing = boost::multiprecision::abs(Exact(bar.at_high.gain - bar.at_low.gain));
        bars.push_back(std::move(bar));
    }
    std::ranges::sort(
        bars, [](const Bar& a, const Bar& b) { return a.swing != b.swing ? a.swing > b.swing : a.field < b.field; });
    return bars;
}

}  // namespace tandem::cost
