// What was drawn between two looks at a counter of energy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/calendar.h"

namespace tandem::energy {

struct Counter {
    std::int64_t uj = 0;        // microjoules since some time
    std::int64_t range_uj = 0;  // where it begins at 0 again; 0: it does not
};

struct Domain {
    std::string name;  // "intel-rapl:0", a card's UUID
    Counter counter;
};

struct Drawn {
    Span time;  // milliseconds since 1970
    std::int64_t uj = 0;
};

class Meter {
  public:
    static constexpr std::int64_t kLongestGap = 60'000;  // a counter that turns over may do so twice in more
    static constexpr std::int64_t kMostWatts = 100'000;  // more is a counter that was set to another value

    // What was drawn since the last look. Nullopt: this is the first, or the counter or the clock was set, or the last
    // look is too long ago; then it begins anew.
    std::optional<Drawn> take(std::int64_t now_ms, const Counter& counter);
    void forget() { last_.reset(); }

  private:
    struct Look {
        std::int64_t time, uj;
    };
    std::optional<Look> last_;
};

}  // namespace tandem::energy
