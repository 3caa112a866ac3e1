// Thousands of runs of a gateway among clients and providers that fail in every combination: what must always hold,
// holds. TANDEM_SIMULATIONS says how many, TANDEM_SEED which one alone.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/simulation/world.h"

namespace tandem::simulation {
namespace {

std::uint64_t asked(const char* name, std::uint64_t otherwise) {
    const auto* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Simulation : testing::Test {
    void SetUp() override { spdlog::set_level(spdlog::level::off); }
    void TearDown() override { spdlog::set_level(spdlog::level::info); }
};

TEST_F(Simulation, of_a_hostile_network_keeps_every_promise) {
    const auto one = asked("TANDEM_SEED", 0);
    const auto first = one > 0 ? one : 1, count = one > 0 ? 1 : asked("TANDEM_SIMULATIONS", 400);
    Outcome all;
    std::size_t broken = 0;
    std::mutex mutex;
    std::atomic<std::uint64_t> next = first;
    const auto began = std::chrono::steady_clock::now();
    const auto take = [&](std::uint64_t seed, const Outcome& outcome) {
        const std::lock_guard lock(mutex);
        all.requests += outcome.requests;
        all.whole += outcome.whole;
        all.cut += outcome.cut;
        all.refused += outcome.refused;
        all.calls += outcome.calls;
        all.hedged += outcome.hedged;
        all.gone_on += outcome.gone_on;
        all.left += outcome.left;
        if (outcome.broken.empty()) return;
        for (const auto& what : outcome.broken) ADD_FAILURE() << "TANDEM_SEED=" << seed << ": " << what;
        if (++broken == 10) next = first + count;
    };
    // Runs know nothing of each other, so each core has its own.
    const auto work = [&] {
        auto ground = std::make_unique<Ground>();
        for (int runs = 0;; ++runs) {
            const auto seed = next++;
            if (seed >= first + count) return;
            if (runs % 1'000 == 999) ground = std::make_unique<Ground>();  // its ledger grows
            const auto outcome = run(*ground, seed);
            if (one > 0) fmt::print("{}", outcome.trace);
            take(seed, outcome);
        }
    };
    std::vector<std::thread> cores;
    for (unsigned i = 0; i < (one > 0 ? 1 : std::max(1U, std::thread::hardware_concurrency())); ++i)
        cores.emplace_back(work);
    for (auto& core : cores) core.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    fmt::print(
        "{} runs in {:.1f} s ({:.0f} a minute): {} requests, {} whole, {} broken off, {} refused, {} left; {} calls, "
        "{} lost "
        "a hedge, {} went on with an answer\n",
        count, took.count(), static_cast<double>(count) / took.count() * 60, all.requests, all.whole, all.cut,
        all.refused, all.left, all.calls, all.hedged, all.gone_on);
    if (one > 0) return;
    // It has seen what it is about.
    for (const auto number : {all.whole, all.cut, all.refused, all.hedged, all.gone_on, all.left})
        EXPECT_GT(number, count / 100);
}

TEST_F(Simulation, of_the_same_seed_is_the_same_to_the_byte) {
    Ground one, other;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        const auto first = run(one, seed);
        (void)run(other, seed + 100'000);  // what was before does not matter
        const auto second = run(other, seed);
        ASSERT_EQ(first.trace, second.trace) << seed;
        ASSERT_FALSE(first.trace.empty());
    }
}

}  // namespace
}  // namespace tandem::simulation
