// Looks at what a model answers: something private that its request did not hold has no business in its answer, nor in
// the arguments of a call that goes out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "chat/filter.h"
#include "config/config.h"
#include "privacy/detect.h"

namespace tandem::privacy {

// The rules that speak of models in this zone.
std::vector<config::AnswerRule> rules_for(const std::vector<config::AnswerRule>& rules, Zone zone);

// Text is held back while it could be a part of a value, at most kHeld bytes; a call, with its name and id, until it is
// whole. Log-probabilities, which say the text in tokens, are left out. `asked` gives all text of the request, and is
// called once something is found. Where a detector fails, the answer is stopped. Detector and detection outlive it.
std::unique_ptr<chat::EventFilter> guard_filter(Detector& detector, const config::Detection& detection,
                                                std::vector<config::AnswerRule> rules,
                                                std::function<std::string()> asked);

// The text with everything that detectors are sure of masked, for logs and records. Where a detector fails, nothing is
// left of it.
std::string scrubbed(Detector& detector, const config::Detection& detection, std::string_view text);

}  // namespace tandem::privacy
