// The search on simulated machines: noisy, drifting, with runs that something else disturbed.
#include "engine/tune/search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

namespace tandem::engine::tune {

namespace {

struct Machine {
    double noise = 0.03;   // deviation of the logarithm of a run's time
    double spikes = 0.05;  // share of runs that something disturbs by half of their time
    double drift = 0.15;   // how much slower the machine gets and faster again
    double time = 600;     // seconds in all
    std::size_t room = 4;
};

// Times that multiply by knob, and somewhat by pairs of neighbours.
class Simulated final : public Track {
  public:
    Simulated(std::vector<std::size_t> values, std::uint64_t seed, Machine machine = {})
        : machine_(machine), random_(seed) {
        std::uniform_real_distribution<double> factor(0.85, 1.5), pair(0.98, 1.02);
        for (const auto count : values) {
            auto& knob = factors.emplace_back();
            for (std::size_t value = 0; value < count; ++value) knob.push_back(factor(random_));
        }
        for (std::size_t at = 0; at < 1000; ++at) pairs.push_back(pair(random_));
    }

    double truth(const Choices& choices) const {
        double seconds = 0.5;
        for (std::size_t knob = 0; knob < choices.size(); ++knob) {
            seconds *= factors[knob][choices[knob]];
            if (knob > 0) seconds *= pairs[(knob * 100 + choices[knob - 1] * 10 + choices[knob]) % pairs.size()];
        }
        return seconds;
    }

    double best() const {
        double least = 1e9;
        Choices choices(factors.size(), 0);
        while (true) {
            least = std::min(least, truth(choices));
            std::size_t knob = 0;
            while (knob < choices.size() && ++choices[knob] == factors[knob].size()) choices[knob++] = 0;
            if (knob == choices.size()) return least;
        }
    }

    Result<double> run(const Choices& choices, int) override {
        if (broken.contains(choices)) return fail(ErrorCode::unavailable, "it crashes");
        if (loaded.insert(choices).second) now += 0.3;
        most_loaded = std::max(most_loaded, loaded.size());
        double seconds = truth(choices) * (1 + machine_.drift * std::sin(now / 20));
        seconds *= std::exp(std::normal_distribution<double>(0, machine_.noise)(random_));
        if (std::bernoulli_distribution(machine_.spikes)(random_)) seconds *= 1.5;
        now += seconds;
        longest = std::max(longest, seconds);
        ++runs;
        return seconds;
    }
    std::size_t room() const override { return machine_.room; }
    void leave(const Choices& choices) override { loaded.erase(choices); }
    bool has_time(double seconds) const override { return now + seconds <= machine_.time; }

    std::vector<std::vector<double>> factors;
    std::vector<double> pairs;
    std::set<Choices> loaded, broken;
    std::size_t most_loaded = 0;
    double now = 0, longest = 0;
    int runs = 0;

  private:
    Machine machine_;
    std::mt19937_64 random_;
};

const std::vector<std::size_t> kValues = {4, 5, 2, 2, 3};

SearchSpace space_of(const std::vector<std::size_t>& values) {
    SearchSpace space;
    space.start = Choices(values.size(), 0);
    space.values = values;
    space.impossible = [](const Choices&) { return std::string(); };
    space.refused = [](const Choices&, bool) { return std::string(); };
    return space;
}

}  // namespace

TEST(Search, findsTheBestWithinFivePercentOnNoisyMachines) {
    constexpr int kSeeds = 200;
    int near = 0;
    double runs = 0;
    for (int seed = 0; seed < kSeeds; ++seed) {
        Simulated machine(kValues, static_cast<std::uint64_t>(seed));
        const auto found = search(machine, space_of(kValues));
        if (machine.truth(found.best) <= machine.best() * 1.05) ++near;
        runs += machine.runs;
        EXPECT_LE(machine.truth(found.best), machine.truth(Choices(kValues.size(), 0))) << "seed " << seed;
    }
    EXPECT_GE(near, kSeeds * 95 / 100);
    // Of a grid of all, with as many runs of each as the proof has.
    EXPECT_LE(runs / kSeeds, 4 * 5 * 2 * 2 * 3 * kProofRounds / 4.0);
    std::printf("%d of %d seeds within 5 %%, %.0f runs each\n", near, kSeeds, runs / kSeeds);
}

TEST(Search, proposesNothingWhereAllAreTheSame) {
    constexpr int kSeeds = 300;
    int proposed = 0;
    for (int seed = 0; seed < kSeeds; ++seed) {
        Simulated machine(kValues, static_cast<std::uint64_t>(seed) + 1000);
        for (auto& knob : machine.factors) std::ranges::fill(knob, 1.0);
        std::ranges::fill(machine.pairs, 1.0);
        const auto found = search(machine, space_of(kValues));
        if (found.is_better) ++proposed;
        EXPECT_TRUE(found.is_better || !found.why.empty());
    }
    EXPECT_LE(proposed, kSeeds / 50);
}

TEST(Search, doesNotTakeAMachineThatBecameFasterForAFasterSetting) {
    for (int seed = 0; seed < 20; ++seed) {
        Simulated machine({4}, static_cast<std::uint64_t>(seed), {.noise = 0.01, .spikes = 0, .drift = 0.6});
        std::ranges::fill(machine.factors[0], 1.0);
        EXPECT_FALSE(search(machine, space_of({4})).is_better) << "seed " << seed;
    }
}

TEST(Search, keepsItsTimeAndLeavesSomeForTheProof) {
    for (const double time : {1.0, 5.0, 20.0, 40.0})
        for (int seed = 0; seed < 20; ++seed) {
            Simulated machine(kValues, static_cast<std::uint64_t>(seed), {.time = time});
            const auto found = search(machine, space_of(kValues));
            EXPECT_LE(machine.now, time + machine.longest + 0.3) << "seed " << seed;
            if (found.is_better) EXPECT_GE(found.ratio.rounds, kFewestProofRounds);
        }
}

TEST(Search, leavesARaceThatIsClearEarly) {
    Simulated machine({2}, 1, {.noise = 0.01, .spikes = 0});
    machine.factors = {{1.0, 2.0}};
    const auto found = search(machine, space_of({2}));
    EXPECT_FALSE(found.is_better);
    EXPECT_EQ(machine.runs, 4) << "two rounds";
    EXPECT_EQ(found.steps[0].race.all[0].left, "it is much slower");
}

TEST(Search, leavesOutWhatCrashesIsImpossibleOrAnswersOtherwise) {
    Simulated machine({4}, 7, {.noise = 0.01, .spikes = 0});
    machine.factors = {{1.0, 0.5, 0.4, 0.3}};
    machine.broken = {{3}};
    auto space = space_of({4});
    space.refused = [](const Choices& choices, bool) {
        return choices[0] == 2 ? std::string("it answers otherwise") : "";
    };
    const auto found = search(machine, space);
    EXPECT_TRUE(found.is_better);
    EXPECT_EQ(found.best, Choices{1});
    EXPECT_NEAR(found.ratio.mean, 0.5, 0.03);
    EXPECT_NE(found.steps[0].race.all[2].left.find("it crashes"), std::string::npos);
    EXPECT_EQ(found.steps[0].race.all[1].left, "it answers otherwise");

    space.impossible = [](const Choices& choices) { return choices[0] == 1 ? std::string("too large") : ""; };
    EXPECT_EQ(search(machine, space).best, Choices{0});
}

TEST(Search, goesBackWhereTheAnswersDifferOnlyAtLength) {
    Simulated machine({2, 2}, 7, {.noise = 0.01, .spikes = 0});
    machine.factors = {{1.0, 0.5}, {1.0, 0.5}};
    auto space = space_of({2, 2});
    space.refused = [](const Choices& choices, bool whole) {
        return whole && choices[1] == 1 ? std::string("it loses what is far away") : "";
    };
    const auto found = search(machine, space);
    EXPECT_EQ(found.best, (Choices{1, 0}));
    EXPECT_TRUE(found.is_better);
}

TEST(Search, doesNotRaceWhatIsSuspectedAndAnswersOtherwise) {
    Simulated machine({3}, 7, {.noise = 0.01, .spikes = 0});
    machine.factors = {{1.0, 0.5, 0.8}};
    auto space = space_of({3});
    space.suspected = [](std::size_t) { return true; };
    space.refused = [](const Choices& choices, bool) { return choices[0] == 1 ? std::string("it changes them") : ""; };
    const auto found = search(machine, space);
    EXPECT_EQ(found.best, Choices{2});
    EXPECT_EQ(found.steps[0].race.all.size(), 1U);
}

TEST(Search, saysThatWhatIsInUseDoesNotRun) {
    Simulated machine({2}, 7);
    machine.broken = {{0}};
    const auto found = search(machine, space_of({2}));
    EXPECT_EQ(found.broken, "it crashes");
    EXPECT_FALSE(found.is_better);
}

TEST(Search, loadsNoMoreAtOnceThanThereIsRoomFor) {
    for (const std::size_t room : {1UL, 2UL, 3UL}) {
        Simulated machine(kValues, 3, {.room = room});
        const auto found = search(machine, space_of(kValues));
        EXPECT_LE(machine.truth(found.best), machine.best() * 1.05);
    }
}

TEST(Ratio, isOfTheMiddleRounds) {
    const std::vector<double> steady = {0.12, 0.11, 0.09, 0.08, 0.1};
    std::vector<double> disturbed = steady;
    disturbed.back() = 0.9;
    EXPECT_NEAR(ratio_of(steady).mean, std::exp(0.1), 1e-3);
    EXPECT_NEAR(ratio_of(disturbed).mean, std::exp(0.1), 0.01);
    EXPECT_LT(ratio_of(steady).low, std::exp(0.1));
    EXPECT_GT(ratio_of(steady).high, std::exp(0.1));
    EXPECT_FALSE(ratio_of(std::vector<double>{-1}).known()) << "one run is no interval";
    EXPECT_FALSE(ratio_of({}).is_better(kLeastGain));
    EXPECT_FALSE(ratio_of(std::vector<double>{-0.01, -0.01, -0.01}).is_better(kLeastGain))
        << "too little to be worth a change";
    EXPECT_TRUE(ratio_of(std::vector<double>{-0.1, -0.11, -0.1}).is_better(kLeastGain));
}

// The interval holds what it says: the true ratio is in 95 % of them.
TEST(Ratio, coversTheTruth) {
    std::mt19937_64 random(5);
    std::normal_distribution<double> noise(0.05, 0.03);
    for (const int rounds : {3, 5, 8, 10}) {
        int covered = 0;
        constexpr int kTries = 2000;
        for (int i = 0; i < kTries; ++i) {
            std::vector<double> logs;
            for (int round = 0; round < rounds; ++round) logs.push_back(noise(random));
            const auto ratio = ratio_of(logs);
            if (ratio.low <= std::exp(0.05) && std::exp(0.05) <= ratio.high) ++covered;
        }
        EXPECT_GE(covered, kTries * 93 / 100) << rounds;
        EXPECT_LE(covered, kTries * 98 / 100) << rounds;
    }
}

}  // namespace tandem::engine::tune
