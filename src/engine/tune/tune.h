// Tuning of one model that Tandem's own llama-server runs: finds settings with which it answers faster and the same, on
// this machine, within a given time, with engines of its own. Writes no config and leaves nothing behind.
#pragma once

#include "engine/tune/search.h"
#include "engine/tune/trials.h"

namespace tandem::engine::tune {

struct Wish {
    std::string model;
    int concurrency = 1;  // requests at once: 1 is for the time of one, more for all of them together
    std::chrono::seconds time{600};
    bool quantised_cache = false;  // may be tried
    std::int64_t room_bytes = 0;   // of memory, beside what is loaded
    std::vector<UpgradeQuestion> questions;
    std::function<bool()> stopped = [] { return false; };
    std::function<void(const std::string& line, double seconds_left)> say = [](const std::string&, double) {};
};

// What was not raced, and why.
struct NotTried {
    std::string what, why;
};

struct Report {
    Found found;
    config::Model before, after;  // the same where nothing is proposed
    std::vector<Knob> knobs;
    std::vector<NotTried> not_tried;
    Amount amount;               // of one request
    double seconds = 0;          // that it took
    double request_seconds = 0;  // of a run with the settings before
    std::size_t far_tokens = 0;  // that answers were compared over
    double divergence = 0;       // mean of the next tokens, of what is proposed
    bool beside = true;          // both were loaded at once
};

// What a model is to be tuned with. Errors: not_found; invalid, where llama-server does not run it.
Result<TrialsSettings> ground_of(const config::Config& config, const EnginesSettings& places, const Wish& wish);

// `folder` is this tuning's own. Errors: as ground_of(); unavailable, where what is in use does not run, or was
// stopped.
Result<Report> tune(const config::Config& config, EnginesSettings places, const std::filesystem::path& folder,
                    const Wish& wish);

}  // namespace tandem::engine::tune
