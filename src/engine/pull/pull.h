// `tandem model pull`: from a reference to a model file that the engine finds.
#pragma once

#include <functional>
#include <string>

#include "config/config.h"
#include "engine/disk/manifest.h"
#include "engine/gguf.h"
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

// A model that is not here: what its source says, and its header.
struct Looked {
    Plan plan;
    std::int64_t size = 0;  // bytes of all its files
    GgufFacts facts;        // of all its files
    std::int64_t read = 0;  // bytes of headers that came
};

// Reads the headers of its files by ranges, kLongestHeader bytes of each at most, and nothing more. Errors: as the
// plans', as read_gguf(), upstream (the source gives no ranges).
inline constexpr std::int64_t kLongestHeader = 64LL << 20;
Result<Looked> look(const Reference& reference, const PullSettings& settings);

}  // namespace tandem::engine
