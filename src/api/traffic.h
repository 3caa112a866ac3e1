// What requests have come to since the start, for metrics. Private to api/.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "gateway/call.h"

namespace tandem::api {

// Safe from any thread. Names come from the config alone; what would be more than kMost series counts as "other".
class Traffic {
  public:
    static constexpr std::size_t kMost = 2'000;

    struct Kind {
        std::string alias, label, zone, status;
        auto operator<=>(const Kind&) const = default;
    };
    struct Counts {
        std::map<Kind, std::int64_t> requests;
        std::map<std::string, std::int64_t> redactions;  // by type
        std::int64_t cached = 0, fallbacks = 0;
    };

    // `note` is null where a request was refused before anybody knew whose it is.
    void add(const gateway::RequestNote* note, int status);
    Counts counts() const;

  private:
    mutable std::mutex mutex_;
    Counts counts_;
};

}  // namespace tandem::api
