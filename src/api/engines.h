// The engines as the API shows them.
#pragma once

#include <string>
#include <vector>

#include "engine/engines.h"

namespace tandem::api {

std::string engines_json(const std::vector<engine::EngineStatus>& engines);

}  // namespace tandem::api
