#include "owners/world.h"

#include <algorithm>
#include <cmath>

namespace tandem::owners {

double Dice::scale(double low, double high) {
    return std::exp(uniform(std::log(low), std::log(high)));
}

// Box and Muller 1958.
double Dice::normal(double mean, double deviation) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return mean + deviation * radius * std::cos(6.283185307179586 * uniform());
}

double Dice::lognormal(double median, double sigma) {
    return median * std::exp(sigma * normal());
}

int Dice::poisson(double mean) {
    if (mean <= 0) return 0;
    if (mean > 60) return std::max(0, static_cast<int>(std::lround(normal(mean, std::sqrt(mean)))));
    double left = std::exp(-mean), product = uniform();
    int count = 0;
    while (product > left) {
        ++count;
        product *= uniform();
    }
    return count;
}

double Curve::at(double difficulty) const {
    const double t = std::clamp((difficulty - centre) / width + 0.5, 0.0, 1.0);
    return high + (low - high) * t * t * (3 - 2 * t);
}

double TrueModel::quality(std::size_t kind, double difficulty, double tokens) const {
    const double longer = tokens > 4096 ? per_doubling * std::log2(tokens / 4096) : 0;
    return curve[kind].at(difficulty + longer);
}

int World::model(const std::string& id) const {
    const auto found = std::ranges::find(models, id, &TrueModel::id);
    return found == models.end() ? -1 : static_cast<int>(found - models.begin());
}

int Looks::number_of(const Look& look) {
    std::uint64_t key = 0;
    for (const auto& [part, bits] : {std::pair{look.stream, 5},
                                     {look.kind, 4},
                                     {look.difficulty, 7},
                                     {look.tokens, 20},
                                     {look.label, 2},
                                     {look.stakes, 2}})
        key = key << static_cast<unsigned>(bits) | static_cast<unsigned>(part);
    const auto [at, added] = numbers_.try_emplace(key, static_cast<int>(all_.size()));
    if (added) all_.push_back(look);
    return at->second;
}

namespace {

// Of a day (0: Monday), and of an hour of it, beside their means.
double of_day(Stream::Day day, int weekday) {
    const bool weekend = weekday >= 5;
    switch (day) {
        case Stream::Day::office:
            return weekend ? 0.05 : 1.38;
        case Stream::Day::evening:
            return weekend ? 1.5 : 0.8;
        case Stream::Day::always:
            return weekend ? 0.6 : 1.16;
        case Stream::Day::night:
            return 1;
    }
    return 1;
}

double hour_of(Stream::Day day, Dice& dice) {
    switch (day) {
        case Stream::Day::office:
            // Two humps, before and after noon.
            return std::clamp(dice.chance(0.55) ? dice.normal(10.2, 1.1) : dice.normal(14.8, 1.3), 6.5, 20.0);
        case Stream::Day::evening:
            return std::clamp(dice.normal(20.5, 2.2), 7.0, 23.9);
        case Stream::Day::always:
            return dice.chance(0.7) ? std::clamp(dice.normal(14, 3.5), 0.0, 23.9) : dice.uniform(0, 24);
        case Stream::Day::night:
            return dice.uniform(1, 5);
    }
    return 12;
}

// What a gateway thinks of a difficulty: not exactly what it is, in steps.
int judged(double difficulty) {
    return std::clamp(static_cast<int>(std::lround(difficulty / 6)) * 6, 0, 100);
}
// Tokens of a prompt as they are estimated, in steps of a quarter.
int estimated(double tokens) {
    constexpr double kSteps = 3;
    return static_cast<int>(std::lround(std::exp2(std::round(std::log2(std::max(16.0, tokens)) * kSteps) / kSteps)));
}

void add_session(const World& world, std::size_t number, Looks& looks, double start, Dice& dice, Asked& asked) {
    const auto& stream = world.streams[number];
    Session session{start, asked.turns.size(), dice.whole(stream.least_turns, stream.most_turns)};
    const double difficulty = dice.normal(stream.difficulty, stream.spread);
    Look look{.stream = static_cast<int>(number)};
    const double label = dice.uniform();
    look.label = label < stream.private_share ? 2 : label < stream.private_share + stream.internal_share ? 1 : 0;
    look.stakes = dice.chance(stream.high_share) ? 2 : 1;
    double tokens = dice.lognormal(stream.tokens, stream.tokens_sigma);
    for (int i = 0; i < session.turns; ++i) {
        Turn turn;
        turn.difficulty =
            static_cast<float>(std::clamp(dice.normal(difficulty, session.turns > 1 ? 5 : 0), 0.0, 100.0));
        turn.input = static_cast<float>(std::clamp(tokens, 20.0, 180'000.0));
        turn.output = static_cast<float>(std::clamp(dice.lognormal(stream.output, stream.output_sigma), 5.0, 8000.0));
        tokens += stream.grows * dice.uniform(0.3, 1.7);
        const bool right = dice.chance(stream.told_rightly);
        look.kind = static_cast<int>(right ? stream.kind : stream.taken_for);
        look.difficulty = judged(dice.normal(turn.difficulty + stream.misjudged, 9));
        look.tokens = estimated(turn.input * dice.lognormal(1, 0.1));
        turn.look = looks.number_of(look);
        for (float* draw : {&turn.good, &turn.failed, &turn.dice, &turn.cache})
            *draw = static_cast<float>(dice.uniform());
        turn.pace = static_cast<float>(dice.normal());
        turn.think_ms = static_cast<float>(stream.think_ms * dice.lognormal(1, 0.6));
        turn.said = static_cast<std::uint32_t>(dice.uniform() * 4e9);
        asked.turns.push_back(turn);
    }
    asked.sessions.push_back(session);
}

}  // namespace

Asked asked_in(const World& world, Looks& looks, double from_ms, double to_ms, std::uint64_t seed) {
    Dice dice(seed);
    Asked asked;
    const auto streams = world.streams.size();
    std::vector<double> project(streams, 1);
    std::vector<int> project_ends(streams, 0);
    double week = dice.normal();
    const int days = static_cast<int>(std::lround((to_ms - from_ms) / kDayMs));
    for (int day = 0; day < days; ++day) {
        // 1970-01-01 was a Thursday.
        const int weekday = static_cast<int>((static_cast<std::int64_t>(from_ms / kDayMs) + day + 3) % 7);
        if (day % 7 == 0) week = 0.7 * week + std::sqrt(1 - 0.49) * dice.normal();
        const double today = std::exp(world.week_sigma * week + world.day_sigma * dice.normal());
        for (std::size_t i = 0; i < streams; ++i) {
            const auto& stream = world.streams[i];
            if (stream.projects > 0 && day >= project_ends[i]) {
                project[i] = std::exp(stream.projects * dice.normal() - stream.projects * stream.projects / 2);
                project_ends[i] = day + dice.whole(10, 42);
            }
            const double turns = (stream.least_turns + stream.most_turns) / 2.0;
            const double groups =
                stream.requests_a_day * of_day(stream.day, weekday) * today * project[i] / turns / stream.at_once;
            for (int left = dice.poisson(groups); left > 0; --left) {
                const double start = from_ms + day * kDayMs + hour_of(stream.day, dice) * kHourMs;
                const int together = stream.at_once > 1 ? dice.whole(1, 2 * stream.at_once - 1) : 1;
                for (int k = 0; k < together; ++k)
                    add_session(world, i, looks, start + k * dice.uniform(50, 400), dice, asked);
            }
        }
    }
    std::ranges::sort(asked.sessions, {}, &Session::start_ms);
    return asked;
}

}  // namespace tandem::owners
