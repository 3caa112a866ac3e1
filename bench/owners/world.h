// A world with one owner in it: what is asked and when, how good and how fast each model truly is, what machines truly
// draw, how many hours they truly take, and who says how answers were. Every number is drawn from a seed, within the
// ranges of owners.cpp; README.md says where the ranges come from.
//
// Nothing here reads src/advice, and no truth is reckoned by code under test: quality is a curve of its own, costs and
// electricity are added up here, in double. Of Tandem it has only names (kinds of work, labels) and the config's text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/splitmix.h"

namespace tandem::owners {

inline constexpr std::size_t kKinds = 9;  // as routing::kWorkKindNames
inline constexpr double kHourMs = 3'600'000, kDayMs = 24 * kHourMs;
inline constexpr std::int64_t kNow = 1'790'812'800'000;  // 2026-10-01 UTC: the day on which advice is asked for

enum class Owner { individual, office, clinic, agents };
inline constexpr std::array<const char*, 4> kOwnerNames = {"bursty individual", "steady office", "privacy-bound clinic",
                                                           "agent-heavy team"};

// Draws; all of a world from one seed.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}  // base/splitmix.h: quick to begin, which signs_of does often
    double uniform(double low = 0, double high = 1) {
        return low + (high - low) * static_cast<double>(engine_.next() >> 11U) * 0x1p-53;
    }
    // Evenly on a logarithmic scale.
    double scale(double low, double high);
    double normal(double mean = 0, double deviation = 1);
    double lognormal(double median, double sigma);
    int poisson(double mean);
    int whole(int low, int high) { return low + static_cast<int>(uniform() * (high - low + 1)); }
    bool chance(double share) { return uniform() < share; }

  private:
    SplitMix64 engine_;
};

// How good the answers of a model are: from `high` at trivial work down to `low`, half of the way at `centre`.
struct Curve {
    double high = 0.95, low = 0.05, centre = 50, width = 50;
    double at(double difficulty) const;
};

struct TrueModel {
    std::string id, provider, name;
    bool local = false;
    std::array<Curve, kKinds> curve;
    double per_doubling = 0;  // by so much harder is a prompt for each doubling beyond 4,096 tokens
    std::array<double, kKinds> wordy{};
    double input_price = 0, cached_price = 0, output_price = 0;  // of a million tokens
    double start_ms = 0, input_per_ms = 1, output_per_ms = 0.05, jitter = 0;
    double slowed = 0;  // by each other answer that is under way, as a share
    int slots = 0;      // at home
    double fails = 0;   // share of attempts
    int context = 0;
    double on_probes = 0;  // what its quality at a probe's questions is above that at such work
    double quality(std::size_t kind, double difficulty, double tokens) const;
};

// A use that the owner makes of it.
struct Stream {
    enum class Day { office, evening, always, night };
    std::string name, alias = "auto", key = "desk";
    std::size_t kind = 0, taken_for = 0;  // the second where its kind is not told rightly
    double told_rightly = 1;
    double requests_a_day = 0;
    Day day = Day::office;
    int least_turns = 1, most_turns = 1;
    double think_ms = 0;  // between an answer and the next turn
    int at_once = 1;      // sessions that begin together
    double difficulty = 35, spread = 12, misjudged = 0;
    double tokens = 500, tokens_sigma = 0.5, grows = 0;  // of a prompt; and by each turn
    double output = 300, output_sigma = 0.5;
    double private_share = 0, internal_share = 0, high_share = 0;
    bool person = true, repeats = false, vision = false, tools = false;
    double projects = 0;  // how much its volume changes from project to project (sigma)
};

struct Feedback {
    double says = 0.03, says_more_of_bad = 1.5, mistaken = 0.05;
    double again_bad = 0, again_good = 0, disputes_bad = 0, disputes_good = 0, goes_on_bad = 0, goes_on_good = 0;
    double fault_seen = 0;  // a bad answer whose fault can be told
    int probes = 0;         // questions that each model was asked at the start
};

struct House {
    bool there = false;
    double price = 0, residual = 0, idle_watts = 0, busy_watts = 0, true_draw = 1, tariff = 0;
    int life_months = 48, age_months = 6;
    bool measured = false;
    double hours = 0, hours_without = 0;  // of a month; what stays without the machine, as a share
    double hour_rate = 0;                 // 0: the owner does not count them
    double noted = 1;                     // share of the hours that is written down
};

struct World {
    Owner owner = Owner::individual;
    std::uint64_t seed = 0;
    std::vector<TrueModel> models;
    std::vector<Stream> streams;
    Feedback feedback;
    House house;
    double value = 0.1, second = 0, explore = 0;
    double week_sigma = 0.2, day_sigma = 0.2;
    std::string preset = "hybrid";
    std::string yaml;  // tandem.yaml, as its owner writes it
    int model(const std::string& id) const;
};
World world_of(Owner owner, std::uint64_t seed);

// What a gateway can tell of requests that look alike to it.
struct Look {
    int stream = 0;
    int kind = 0;
    int difficulty = 0;
    int tokens = 0;
    int label = 0;   // 0 public, 1 internal, 2 private
    int stakes = 1;  // 1 normal, 2 high
};
class Looks {
  public:
    int number_of(const Look& look);
    const Look& operator[](int number) const { return all_[static_cast<std::size_t>(number)]; }
    std::size_t size() const { return all_.size(); }

  private:
    std::vector<Look> all_;
    std::unordered_map<std::uint64_t, int> numbers_;
};

struct Turn {
    int look = 0;
    float difficulty = 0;                                       // truly
    float input = 0, output = 0;                                // tokens; of an answer without a model's own wordiness
    float good = 0, failed = 0, pace = 1, dice = 1, cache = 0;  // draws that hold for whoever answers
    float think_ms = 0;
    std::uint32_t said = 0;  // seed of who says what of it
};
struct Session {
    double start_ms = 0;
    std::size_t first = 0;
    int turns = 1;
};
// Everything that is asked in a time. Sessions are in order.
struct Asked {
    std::vector<Turn> turns;
    std::vector<Session> sessions;
};
Asked asked_in(const World& world, Looks& looks, double from_ms, double to_ms, std::uint64_t seed);

}  // namespace tandem::owners
