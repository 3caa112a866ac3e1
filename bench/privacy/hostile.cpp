// How fast hostile texts are scanned: bench_privacy_hostile [MB] [NAME]. Each text of hostile.h is scanned as it stands
// and, as a request, in a message; the slowest twenty are printed, with MB/s on one thread, names off.
#include "bench/privacy/hostile.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "privacy/privacy.h"

using namespace tandem;

namespace {

double speed(std::size_t bytes, auto&& work) {
    const auto from = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
    return static_cast<double>(bytes) / 1e6 / took.count();
}

}  // namespace

int main(int argc, char** argv) {
    const auto size = static_cast<std::size_t>((argc > 1 ? std::atof(argv[1]) : 4.0) * 1e6);
    const std::string_view only = argc > 2 ? argv[2] : "";
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
        speeds.emplace_back(speed(whole.size(), [&] { failed = !(*detector)->scan(whole, false); }), text.name);
        if (failed) speeds.back().second += " (failed)";
    }
    std::ranges::sort(speeds);
    for (std::size_t i = 0; i < std::min<std::size_t>(speeds.size(), only.empty() ? 40 : 1); ++i)
        fmt::print("{:8.1f} MB/s  {}\n", speeds[i].first, speeds[i].second.substr(0, 60));
    const auto enough = std::ranges::count_if(speeds, [](const auto& s) { return s.first >= 50; });
    fmt::print("{} of {} texts at 50 MB/s and more\n", enough, speeds.size());
    return 0;
}
