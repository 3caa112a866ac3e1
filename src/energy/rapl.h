// Counters of the processors' energy, as Linux shows them (Documentation/power/powercap/powercap.rst).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "energy/meter.h"

namespace tandem::energy {

// The packages below `powercap`, each once: their parts (core, uncore, dram) are in them, and psys has them in it, so
// neither is counted besides; intel-rapl-mmio shows the same packages again. Errors: not_found, where there is none;
// storage, where a counter cannot be read.
Result<std::vector<Domain>> read_packages(const std::filesystem::path& powercap);

}  // namespace tandem::energy
