// How long models take until there is something for a client, of late: what a hedge goes by.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/world.h"

namespace tandem::upstream {

// Safe from any thread.
class Pace {
  public:
    static constexpr std::size_t kKept = 200;   // newest times of each model
    static constexpr std::size_t kFewest = 20;  // before they say anything

    // `stream`: until the first content; else until the whole answer.
    void note(const std::string& model, bool stream, std::int64_t ms);
    // The time that the share `q` of its answers stays within; nullopt where too few were seen.
    std::optional<milliseconds> quantile(const std::string& model, bool stream, double q) const;

  private:
    struct Times {
        std::array<std::int32_t, kKept> ms{};
        std::size_t count = 0;  // of all that were ever noted
    };
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, bool>, Times> times_;
};

}  // namespace tandem::upstream
