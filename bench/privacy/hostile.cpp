// How fast hostile texts are scanned: bench_privacy_hostile [MB] [NAME] [ROUNDS]. Each text of hostile.h is scanned on
// one thread, names off; the slowest and all that miss the goal are printed, with MB/s by the thread's CPU time (other
// work on the machine does not count), of ROUNDS (3) the best.
#include "bench/privacy/hostile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "privacy/privacy.h"

using namespace tandem;

namespace {

constexpr double kGoal = 50;  // MB/s, for any text
constexpr std::size_t kTold = 40;

double cpu_seconds() {
    timespec now{};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double speed(std::size_t bytes, int rounds, auto&& work) {
    double best = 0;
    for (int i = 0; i < rounds; ++i) {
        const double from = cpu_seconds();
        work();
        best = std::max(best, static_cast<double>(bytes) / 1e6 / (cpu_seconds() - from));
    }
    return best;
}

}  // namespace

int main(int argc, char** argv) {
    const auto size = static_cast<std::size_t>((argc > 1 ? std::atof(argv[1]) : 4.0) * 1e6);
    const std::string_view only = argc > 2 ? argv[2] : "";
    const int rounds = argc > 3 ? std::max(std::atoi(argv[3]), 1) : 3;
    config::OwnRule ticket;
    ticket.name = "ticket";
    ticket.words = {"falcon"};
    ticket.pattern = "FALCON-[0-9]{6}";
    const auto detector = privacy::make_detector({ticket});
    if (!detector) return 1;
    std::vector<std::pair<double, std::string>> speeds;
    for (const auto& text : bench::hostile_texts()) {
        if (!only.empty() && text.name != only) continue;
        const auto whole = bench::repeated(text.unit, size);
        bool failed = false;
        speeds.emplace_back(speed(whole.size(), rounds, [&] { failed = !(*detector)->scan(whole, false); }), text.name);
        if (failed) speeds.back().second += " (failed)";
    }
    std::ranges::sort(speeds);
    for (std::size_t i = 0; i < speeds.size() && (i < kTold || speeds[i].first < kGoal); ++i)
        fmt::print("{:8.1f} MB/s  {}\n", speeds[i].first, speeds[i].second.substr(0, 60));
    const auto enough = std::ranges::count_if(speeds, [](const auto& s) { return s.first >= kGoal; });
    fmt::print("{} of {} texts at {} MB/s and more\n", enough, speeds.size(), kGoal);
    return 0;
}
