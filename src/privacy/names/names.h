// People, organisations and places, by their names. Private to privacy/.
#pragma once

#include <string_view>
#include <vector>

#include "privacy/detect.h"

namespace tandem::privacy {

void find_names(std::string_view text, std::vector<Finding>& findings);

}  // namespace tandem::privacy
