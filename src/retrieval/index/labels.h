// What the detectors say of chunks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/label.h"
#include "config/config.h"
#include "privacy/detect.h"
#include "retrieval/chunk/chunk.h"

namespace tandem::retrieval {

// The detectors of a config, and what they make of a finding.
struct Detectors {
    std::shared_ptr<privacy::Detector> detector;
    config::Detection detection;
    std::int64_t settings = 0;  // other detectors, or other labels for what they find, have another number
};
std::int64_t settings_of(const config::Privacy& privacy);

// The label of each chunk of a file: the highest of what is found in it, its heading included, also of what begins in
// another chunk and ends in it. Where the detectors fail, the highest there is.
std::vector<Label> labels_of(const Detectors& detectors, std::span<const Chunk> chunks);
Label label_of(const Detectors& detectors, std::string_view text);

}  // namespace tandem::retrieval
