// The tuner against an exhaustive grid of the same settings, on the embedded model: how much of the grid's time it
// takes, and how far what it finds is from the best of the grid and from what is in use, when all run again. Prints
// ratios; needs a machine that does nothing else, and three to ten minutes.
#include "engine/tune/tune.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>

#include "engine/programs.h"

using namespace tandem;
using namespace tandem::engine::tune;

namespace {

constexpr int kRunsOfGrid = 8, kRoundsOfProof = 12;
constexpr Amount kAmount{256, 32};
constexpr std::size_t kMostValues = 3;  // of a knob

struct Scratch {
    Scratch() : path(std::filesystem::temp_directory_path() / fmt::format("tandem-bench-tune-{}", getpid())) {}
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    std::filesystem::path path;
};

double median_of(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

std::vector<Choices> grid_of(const SearchSpace& space) {
    std::vector<Choices> all;
    Choices choices(space.values.size(), 0);
    while (true) {
        if (choices == space.start || space.impossible(choices).empty()) all.push_back(choices);
        std::size_t knob = 0;
        while (knob < choices.size() && ++choices[knob] == space.values[knob]) choices[knob++] = 0;
        if (knob == choices.size()) return all;
    }
}

void print_ratio(std::string_view what, const Ratio& ratio) {
    fmt::print("{:<46} {:.3f} (from {:.3f} to {:.3f}, {} rounds)\n", what, ratio.mean, ratio.low, ratio.high,
               ratio.rounds);
    std::fflush(stdout);
}

double seconds_of(Clock& clock, SteadyTime begun) {
    return std::chrono::duration<double>(clock.steady() - begun).count();
}

int bench() {
    const auto environment = config::process_environment();
    const auto config = config::parse("", {}, environment, config::Missing::left_out);
    if (!config) return 1;
    const Scratch scratch;
    std::filesystem::create_directories(scratch.path);
    engine::EnginesSettings places{config->data, config::cache_folder(*config, environment), environment};
    Wish wish;
    wish.model = "smollm2";
    wish.time = std::chrono::hours(1);
    wish.room_bytes = engine::hardware().available_bytes / 2;
    auto settings = ground_of(*config, places, wish);
    if (!settings) {
        fmt::print("{}\n", settings.error().message);
        return 1;
    }
    settings->engines.data = scratch.path;
    settings->amount = kAmount;
    const auto machine = engine::hardware();
    auto knobs = knobs_for(
        settings->model,
        {.cpu = machine.cpu, .gpus = {}, .help = engine::words_for(settings->config.engine_binary, "--help")});
    for (auto& knob : knobs) knob.values.resize(std::min(knob.values.size(), kMostValues));
    const auto clock = system_clock();
    const auto random = system_random();
    const auto model = settings->model;
    Trials trials(std::move(*settings), knobs, *random, *clock);
    if (auto ok = trials.begin(); !ok) {
        fmt::print("{}\n", ok.error().message);
        return 1;
    }
    SearchSpace space;
    space.start = in_use(knobs);
    for (const auto& knob : knobs) space.values.push_back(knob.values.size());
    space.impossible = [&](const Choices& choices) {
        auto why = nonsense(model, served(model, knobs, choices), machine.cpu, kAmount.prompt);
        return why.empty() ? trials.too_large(choices) : why;
    };
    std::optional<Sayings> before;
    space.refused = [&](const Choices& choices, bool whole) -> std::string {
        if (!before || whole) {
            auto said = trials.sayings(space.start, whole);
            if (!said) return said.error().message;
            before = std::move(*said);
        }
        const auto after = trials.sayings(choices, whole);
        return after ? what_changed(*before, *after) : after.error().message;
    };
    auto begun = clock->steady();
    const auto found = search(trials, space);
    const double tuner = seconds_of(*clock, begun);
    fmt::print("tuner: {:.0f} s, {}\n", tuner,
               found.is_better ? difference(knobs, space.start, found.best) : found.why);

    const auto grid = grid_of(space);
    Choices best;
    double least = 0;
    begun = clock->steady();
    for (const auto& choices : grid) {
        std::vector<double> times;
        for (int round = 0; round < kRunsOfGrid; ++round)
            if (const auto time = trials.run(choices, round)) times.push_back(*time);
        trials.leave(choices);
        if (times.empty() || (!best.empty() && median_of(times) >= least)) continue;
        best = choices;
        least = median_of(times);
    }
    const double exhaustive = seconds_of(*clock, begun);
    fmt::print("grid: {} settings, {} runs of each, {:.0f} s, {}\n", grid.size(), kRunsOfGrid, exhaustive,
               difference(knobs, space.start, best));
    fmt::print("{:<46} {:.3f}\n", "time of the tuner / time of the grid", tuner / exhaustive);
    print_ratio("a run as found / a run as in use", compared(trials, space.start, found.best, kRoundsOfProof));
    print_ratio("a run as found / a run as the grid's best", compared(trials, best, found.best, kRoundsOfProof));
    return 0;
}

}  // namespace

int main() {
    spdlog::set_level(spdlog::level::off);
    return bench();
}
