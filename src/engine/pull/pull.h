// `tandem model pull`: from a reference to a model file that the engine finds.
#pragma once

#include <functional>
#include <string>

#include "config/config.h"
#include "engine/disk/manifest.h"
#include "engine/pull/plan.h"

namespace tandem::engine {

struct PullSettings {
    std::filesystem::path models;     // data/models
    config::Environment environment;  // HF_TOKEN, HF_ENDPOINT, HF_HOME, ...
    int connections = 4;              // at once, for one file
    std::string sha256;               // that the owner knows of a single file; empty: none
    // Told once what will be fetched, before a byte of it is.
    std::function<void(const Plan& plan, std::int64_t bytes)> planned = {};
    std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // bytes of all its files
    std::function<void(const std::string& note)> note = {};
};

struct Pulled {
    DiskModel model;
    bool was_there = false;  // nothing had to be fetched
};

// Waits until it is done. Errors: as the plans' and fetch_file()'s.
Result<Pulled> pull(const Reference& reference, const PullSettings& settings);

}  // namespace tandem::engine
