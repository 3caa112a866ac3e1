// Work that an owner describes because none is on record yet, and machines that the owner thinks of buying: a YAML file
// (docs/concepts/compare.md has one to start from). What it does not say is not made up; all that is wrong is found at
// once.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "advice/evaluate.h"
#include "advice/traffic.h"
#include "base/result.h"

namespace tandem::advice {

// How the requests of a day lie in it.
enum class Pattern : std::uint8_t {
    steady,  // evenly over 24 hours
    office,  // evenly over 9 to 17 o'clock UTC, Monday to Friday: a day's requests x 7 / 5
    bursts,  // `burst` requests at once, the bursts evenly over 24 hours
};
inline constexpr std::array<std::string_view, 3> kPatternNames = {"steady", "office", "bursts"};

struct Work {
    routing::WorkKind kind = routing::WorkKind::talk;
    double requests_per_day = 0;
    std::int64_t input_tokens = 0, cached_tokens = 0, output_tokens = 0;  // of a request
    int difficulty = 35;                                                  // 0 to 100; 35 is ordinary work
    double private_share = 0;                                             // 0 to 1
    config::Capabilities needs;
    Pattern pattern = Pattern::steady;
    int burst = 10;
};

// A model on a machine that is not there yet.
struct Runs {
    std::string model;
    Speed speed;
    int slots = 1;
    std::int64_t context_tokens = 0;
    std::optional<config::Capabilities> capabilities;
    std::optional<double> quality;
};
struct Offer {
    config::Hardware hardware;
    std::vector<Runs> runs;
};

// What the owner says of a local model of the config that nobody has measured.
struct Said {
    std::string model;
    Speed speed;
    int slots = 0;  // 0: as the config has it
};

struct Profile {
    std::string currency;  // empty: the config's
    std::vector<Work> work;
    std::vector<Said> models;
    std::vector<Offer> hardware;
};

// `source` names it in errors. Errors: invalid, a line for each thing that is wrong, with the nearest key; too_large
// above 1 MiB.
Result<Profile> read_profile(std::string_view text, std::string_view source);

// Four weeks of such work that end at `until_ms`, the same for the same profile.
Traffic traffic_of(const Profile& profile, std::int64_t until_ms);

}  // namespace tandem::advice
