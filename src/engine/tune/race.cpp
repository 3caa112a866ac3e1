#include "engine/tune/race.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

namespace tandem::engine::tune {

namespace {

constexpr double kTrimmed = 0.2;  // of the rounds, at either end

// Quantiles of Student's t at 97.5 %, by degrees of freedom from 1 on.
constexpr std::array<double, 20> kStudent = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                                             2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086};

double student(std::size_t freedom) {
    return kStudent.at(std::clamp<std::size_t>(freedom, 1, kStudent.size()) - 1);
}

double mean_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// One that races, and the logarithms of its times by round.
struct Runner {
    Choices choices;
    std::vector<double> times = {};
    std::string left = {};

    bool runs() const { return left.empty(); }
};

std::vector<double> differences(const Runner& one, const Runner& other) {
    std::vector<double> result;
    const auto both = std::min(one.times.size(), other.times.size());
    for (std::size_t round = 0; round < both; ++round) result.push_back(one.times[round] - other.times[round]);
    return result;
}

Ratio between(const Runner& one, const Runner& other) {
    return ratio_of(differences(one, other));
}

bool is_hopeless(const Runner& one, const Runner& in_use) {
    const auto all = differences(one, in_use);
    return all.size() >= 2 && std::ranges::all_of(all, [](double log) { return log > std::log(kHopeless); });
}

// Some settings at once against the one in use.
class Heat {
  public:
    Heat(Track& track, const Choices& in_use, std::span<const Choices> others) : track_(track), in_use_{in_use} {
        for (const auto& choices : others) others_.push_back({choices});
    }

    void run(RaceEnd& end) {
        while (end.broken.empty() && !end.out_of_time && !is_decided()) {
            if (!track_.has_time(round_seconds())) {
                end.out_of_time = true;
                break;
            }
            round(end);
            if (!end.out_of_time) leave_behind();
        }
        for (auto& one : others_) {
            if (one.runs()) track_.leave(one.choices);
            end.all.push_back({one.choices, between(one, in_use_), std::move(one.left)});
        }
        if (!in_use_.times.empty()) end.seconds = std::exp(mean_of(in_use_.times));
    }

  private:
    bool is_decided() const {
        const auto left = std::ranges::count_if(others_, &Runner::runs);
        if (left == 0 || rounds_ >= kMostRounds) return true;
        if (left > 1 || rounds_ < kFewestRounds) return false;
        return between(*std::ranges::find_if(others_, &Runner::runs), in_use_).is_better(kLeastStep);
    }

    // As long as the last one took; 0 before the first.
    double round_seconds() const { return last_seconds_; }

    void round(RaceEnd& end) {
        double seconds = 0;
        // Whoever runs first has the machine as the last round left it, so each is first in turn.
        const auto count = others_.size() + 1;
        std::vector<std::optional<double>> times(count);
        for (std::size_t turn = 0; turn < count && end.broken.empty(); ++turn) {
            const auto place = (turn + static_cast<std::size_t>(rounds_)) % count;
            auto& one = place == 0 ? in_use_ : others_[place - 1];
            if (!one.runs()) continue;
            const auto time = track_.run(one.choices, rounds_);
            // A round that was cut says nothing, nor does a run that failed for want of time.
            if (!track_.has_time(0)) {
                end.out_of_time = true;
                return;
            }
            if (time) {
                times[place] = std::log(*time);
                seconds += *time;
            } else if (place == 0) {
                end.broken = time.error().message;
            } else {
                drop(one, fmt::format("it does not run: {}", time.error().message));
            }
        }
        if (!end.broken.empty()) return;
        in_use_.times.push_back(*times[0]);
        for (std::size_t place = 1; place < count; ++place)
            if (times[place]) others_[place - 1].times.push_back(*times[place]);
        last_seconds_ = seconds;
        ++rounds_;
    }

    void drop(Runner& one, std::string why) {
        one.left = std::move(why);
        track_.leave(one.choices);
    }

    const Runner* leader() const {
        const Runner* best = nullptr;
        for (const auto& one : others_)
            if (one.runs() && (best == nullptr || mean_of(one.times) < mean_of(best->times))) best = &one;
        return best;
    }

    void leave_behind() {
        for (auto& one : others_)
            if (one.runs() && is_hopeless(one, in_use_)) drop(one, "it is much slower");
        if (rounds_ < kFewestRounds) return;
        for (auto& one : others_)
            if (one.runs() && between(one, in_use_).low > 1 - kLeastStep) drop(one, "it is no faster");
        const auto* const best = leader();
        for (auto& one : others_)
            if (one.runs() && &one != best && between(one, *best).low > 1) drop(one, "another one is faster");
    }

    Track& track_;
    Runner in_use_;
    std::vector<Runner> others_;
    int rounds_ = 0;
    double last_seconds_ = 0;
};

}  // namespace

bool Ratio::is_better(double gain) const {
    return known() && high < 1 && mean <= 1 - gain;
}

bool Ratio::is_likely_better(double gain) const {
    constexpr double kNarrower = 0.7;  // Student's t at 92.5 % to that at 97.5 %, about
    return known() && mean <= 1 - gain && mean * std::pow(high / mean, kNarrower) < 1;
}

Ratio ratio_of(std::span<const double> logarithms) {
    Ratio ratio;
    ratio.rounds = static_cast<int>(logarithms.size());
    if (logarithms.empty()) return ratio;
    std::vector<double> sorted(logarithms.begin(), logarithms.end());
    std::ranges::sort(sorted);
    const auto count = sorted.size();
    const auto cut = static_cast<std::size_t>(kTrimmed * static_cast<double>(count));
    const auto inner = std::span(sorted).subspan(cut, count - 2 * cut);
    const double mean = mean_of(inner);
    ratio.mean = std::exp(mean);
    if (count < 2) return ratio;
    // Yuen: the deviation of the values with the outer ones drawn in, the degrees of freedom of those that are left.
    for (std::size_t i = 0; i < cut; ++i) {
        sorted[i] = sorted[cut];
        sorted[count - 1 - i] = sorted[count - 1 - cut];
    }
    const double middle = mean_of(sorted);
    double squares = 0;
    for (const double value : sorted) squares += (value - middle) * (value - middle);
    const double deviation = std::sqrt(squares / static_cast<double>(count - 1));
    const double share = static_cast<double>(inner.size()) / static_cast<double>(count);
    const double half = student(inner.size() - 1) * deviation / (share * std::sqrt(static_cast<double>(count)));
    ratio.low = std::exp(mean - half);
    ratio.high = std::exp(mean + half);
    return ratio;
}

RaceEnd race(Track& track, const Choices& in_use, const std::vector<Choices>& others) {
    RaceEnd end;
    const std::size_t at_once = std::max<std::size_t>(1, track.room() - 1);
    for (std::size_t at = 0; at < others.size() && !end.out_of_time && end.broken.empty(); at += at_once) {
        const auto count = std::min(at_once, others.size() - at);
        Heat(track, in_use, std::span(others).subspan(at, count)).run(end);
    }
    return end;
}

Ratio compared(Track& track, const Choices& before, const Choices& after, int rounds) {
    std::vector<double> logs;
    double seconds = 0;
    for (int round = 0; round < rounds && track.has_time(seconds); ++round) {
        const auto& first = round % 2 == 0 ? before : after;
        const auto& second = round % 2 == 0 ? after : before;
        const auto one = track.run(first, round);
        if (!one || !track.has_time(0)) break;
        const auto other = track.run(second, round);
        if (!other) break;
        seconds = *one + *other;
        const double log = std::log(*other) - std::log(*one);
        logs.push_back(round % 2 == 0 ? log : -log);
    }
    return ratio_of(logs);
}

}  // namespace tandem::engine::tune
