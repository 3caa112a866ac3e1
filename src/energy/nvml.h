// Counters of NVIDIA's cards, as the driver's library shows them (NVML API Reference,
// nvmlDeviceGetTotalEnergyConsumption: millijoules since the driver was loaded, from Volta on). The library is opened
// while the server runs and is no dependency of the program.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "energy/meter.h"

namespace tandem::energy {

class Nvml {
  public:
    // `library` is a path, or a name that the loader finds. Errors: not_found, where it cannot be loaded or is not
    // NVML; upstream, where the driver does not answer.
    static Result<std::shared_ptr<const Nvml>> open(const std::string& library);

    // All cards, by their UUID. Safe from any thread; takes up to milliseconds. Errors: not_found, where there is no
    // card; upstream, where one does not count its energy, since the others alone are not what the machine drew.
    Result<std::vector<Domain>> read() const;

    Nvml(const Nvml&) = delete;
    Nvml& operator=(const Nvml&) = delete;
    ~Nvml();

  private:
    struct Library;
    explicit Nvml(std::unique_ptr<Library> library);
    std::unique_ptr<Library> library_;
};

}  // namespace tandem::energy
