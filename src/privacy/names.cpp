#include "privacy/names.h"

namespace tandem::privacy {

void find_names(std::string_view, std::vector<Finding>&) {}

}  // namespace tandem::privacy
