#include "advice/queue.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tandem::advice {

Servers::Servers(int count)
    : free_at_(static_cast<std::size_t>(std::max(1, count)), -std::numeric_limits<double>::infinity()) {}

std::size_t Servers::next(double arrival_ms) const {
    std::size_t first = 0;
    for (std::size_t i = 0; i < free_at_.size(); ++i) {
        if (free_at_[i] <= arrival_ms) return i;
        if (free_at_[i] < free_at_[first]) first = i;
    }
    return first;
}

double Servers::wait_at(double arrival_ms) const {
    return std::max(0.0, free_at_[next(arrival_ms)] - arrival_ms);
}

Servers::Served Servers::serve(double arrival_ms, double work_ms) {
    const auto server = next(arrival_ms);
    const double start = std::max(arrival_ms, free_at_[server]), work = std::max(0.0, work_ms);
    free_at_[server] = start + work;
    worked_ += work;
    return {start - arrival_ms, static_cast<int>(server)};
}

Waits simulate(const std::vector<Arrival>& arrivals, int servers, double patience_ms) {
    Waits result;
    if (arrivals.empty()) return result;
    Servers all(servers);
    double end = arrivals.front().time_ms, sum = 0;
    for (const auto& one : arrivals) {
        if (patience_ms >= 0 && all.wait_at(one.time_ms) > patience_ms) {
            ++result.turned_away;
            continue;
        }
        const auto wait = all.serve(one.time_ms, one.work_ms).wait_ms;
        result.ms.push_back(wait);
        sum += wait;
        end = std::max(end, one.time_ms + wait + std::max(0.0, one.work_ms));
    }
    if (const double span = end - arrivals.front().time_ms; span > 0)
        result.utilisation = all.worked_ms() / (span * all.count());
    if (result.ms.empty()) return result;
    result.mean = sum / static_cast<double>(result.ms.size());
    auto sorted = result.ms;
    result.p50 = percentile(sorted, 0.5);
    result.p95 = percentile(sorted, 0.95);
    return result;
}

double percentile(std::vector<double>& values, double share) {
    if (values.empty()) return 0;
    const auto rank = std::ceil(share * static_cast<double>(values.size()));
    const auto at = static_cast<std::ptrdiff_t>(std::clamp(rank, 1.0, static_cast<double>(values.size()))) - 1;
    std::ranges::nth_element(values, values.begin() + at);
    return values[static_cast<std::size_t>(at)];
}

double erlang_c_wait(double arrivals, double work, int servers) {
    const double load = arrivals * work;
    // Erlang B by its recursion, which does not overflow; C from it.
    double blocked = 1;
    for (int i = 1; i <= servers; ++i) blocked = load * blocked / (i + load * blocked);
    const double rho = load / servers;
    const double waits = blocked / (1 - rho + rho * blocked);
    return waits * work / (servers - load);
}

double md1_wait(double arrivals, double work) {
    const double rho = arrivals * work;
    return rho * work / (2 * (1 - rho));
}

}  // namespace tandem::advice
