// The machines at home, what their electricity costs, and what an hour of their owner's work is worth: what an answer
// that no provider charges for costs all the same. Decimals are whole numbers of millionths, so that what is booked by
// them is exact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/calendar.h"
#include "base/money.h"

namespace tandem::config {

inline constexpr std::int64_t kMillion = 1'000'000;

// One machine.
struct Hardware {
    std::string id;
    Money price;                         // what was paid for all of it
    Money residual;                      // what it is worth at the end of its life; at most `price`
    std::int64_t bought = 0;             // milliseconds since 1970; 0: it was always there
    int life_months = 0;                 // in which it is written off; 0: it is not
    std::int64_t share = kMillion;       // millionths of the machine that are there for this work
    std::int64_t idle_watts = 0;         // microwatts at the socket while it waits
    std::int64_t busy_watts = 0;         // microwatts while it answers
    std::int64_t cost_of_capital = 0;    // millionths of a percent a year
    std::vector<std::string> providers;  // whose models run on it; each stands at one machine
    bool operator==(const Hardware&) const = default;
};

// The part of a day in which electricity has a price of its own.
struct TariffWindow {
    int from = 0;              // minutes of the zone's day, quarters of an hour
    int to = 0;                // the first minute that is not in it; not above `from`: on the day after
    std::uint8_t days = 0x7F;  // days on which it begins: bit 0 is Sunday
    Money price;               // of a kWh
    bool operator==(const TariffWindow&) const = default;
};

struct Energy {
    std::optional<Money> tariff;        // of a kWh outside of all windows; none: energy is not known
    std::vector<TariffWindow> windows;  // the first that fits counts
    std::string zone{kUtc};             // whose clock the windows go by
    std::int64_t cooling = kMillion;  // millionths: what is drawn for each watt of the machines, their cooling with it
    bool operator==(const Energy&) const = default;
};

// The owner's work on all of it.
struct Hours {
    std::optional<Money> rate;  // of an hour
    bool operator==(const Hours&) const = default;
};

}  // namespace tandem::config
