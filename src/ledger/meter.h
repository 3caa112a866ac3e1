// What attempts have come to since the start, by provider and model: for metrics, which are asked for every few
// seconds.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/money.h"

namespace tandem::ledger {

struct AttemptRecord;

// Safe from any thread.
class Meter {
  public:
    // Upper ends of the classes of times, in milliseconds; a last one takes the rest.
    static constexpr std::array<std::int64_t, 10> kBounds = {50,    100,   250,    500,    1'000,
                                                             2'500, 5'000, 10'000, 30'000, 60'000};

    struct Times {
        std::array<std::int64_t, kBounds.size() + 1> counts{};
        std::int64_t count = 0, sum_ms = 0;
        void add(std::int64_t ms);
    };
    struct Line {
        std::string provider, model;
        std::map<std::string, std::int64_t> outcomes;  // answered, failed, cut, cancelled, ...
        Usage usage;
        Money cost;
        Times first_byte, whole;
    };

    struct KeyLine {
        std::string key;
        std::int64_t attempts = 0;
        Usage usage;
        Money cost;
    };
    static constexpr std::size_t kMostKeys = 2'000;  // those beyond count as "other"

    // The models of a config, patterns too: an attempt counts under the one that it is of, and under "other" where it
    // is of none, so that no word of a client's is a name here.
    void name_models(std::vector<std::string> models);
    void add(const AttemptRecord& attempt);
    std::vector<Line> lines() const;
    std::vector<KeyLine> keys() const;

  private:
    std::string name_of(const std::string& model) const;

    mutable std::mutex mutex_;
    std::vector<std::string> models_;
    std::map<std::pair<std::string, std::string>, Line> lines_;
    std::map<std::string, KeyLine, std::less<>> keys_;
};

}  // namespace tandem::ledger
