// What engines took when they ran: their memory and the time of their loading, remembered over a restart. A measurement
// holds for a file, a program and settings; where one of them changes, there is none.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "engine/engine_memory.h"

namespace tandem::engine {

struct Measurement {
    std::int64_t peak_bytes = 0;              // the most that was resident
    std::optional<DeviceBytes> devices = {};  // by the engine's own words; nullopt: it said nothing of its buffers
    std::chrono::milliseconds load{0};
    std::int64_t day = 0;  // days since 1970, of the last one
};

// One thread's.
class Measured {
  public:
    static constexpr std::size_t kMost = 256;  // the oldest goes

    // A file that is not there or not ours is as good as an empty one.
    explicit Measured(std::filesystem::path file);

    std::optional<Measurement> of(const std::string& key) const;
    // Remembers it, of memory the most that was seen, and writes the file. What cannot be written is measured again
    // after a restart.
    void put(const std::string& key, Measurement measurement);

  private:
    std::filesystem::path file_;
    std::map<std::string, Measurement> all_;
};

// The key of a model's file as it is now, the program that serves it as it is now, and `settings`, the arguments.
std::string measurement_key(const std::filesystem::path& model, const std::filesystem::path& program,
                            const std::string& settings);

}  // namespace tandem::engine
