// The questions by which two ways to run one model are compared: short ones of the probe, whose answers are checked
// without a model.
#pragma once

#include <vector>

#include "engine/upgrade.h"

namespace tandem::api {

std::vector<engine::UpgradeQuestion> engine_questions();

}  // namespace tandem::api
