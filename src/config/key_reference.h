// How a provider's key is named in the config: for people, who have to know which one to correct.
#pragma once

#include <string>

#include "config/config.h"

namespace tandem::config {

// "$OPENAI_API_KEY", "file:/etc/tandem/key", "credential:openai"; of several the first. Empty where the provider has
// none, or where the key itself stands in the file: that is told to nobody.
std::string key_reference(const Config& config, const std::string& provider);

}  // namespace tandem::config
