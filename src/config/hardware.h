// The machines at home, what their electricity costs, and what an hour of their owner's work is worth: what an answer
// that no provider charges for costs all the same. Decimals are whole numbers of millionths, so that what is booked by
// them is exact.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/calendar.h"
#include "base/money.h"
#include "base/secret.h"
#include "base/world.h"

namespace tandem::config {

inline constexpr std::int64_t kMillion = 1'000'000;

// What tells how much electricity a machine draws.
struct Measure {
    enum class Source {
        none,
        rapl,            // counters of this machine's processors
        nvml,            // counters of its NVIDIA cards
        rapl_and_nvml,   // of both
        shelly,          // a plug of the second generation or newer
        shelly_gen1,     // of the first one
        tasmota,         // a plug with Tasmota
        home_assistant,  // a sensor of energy there
    };
    Source source = Source::none;
    std::int64_t rest_watts = 0;          // microwatts that the machine draws beside what has counters
    std::string url;                      // of a plug, without a slash at its end
    int channel = 0;                      // of a plug with several
    std::string entity;                   // sensor.workstation_energy
    std::shared_ptr<const Secret> token;  // never null; may be empty
    bool has_processors() const { return source == Source::rapl || source == Source::rapl_and_nvml; }
    bool has_cards() const { return source == Source::nvml || source == Source::rapl_and_nvml; }
    bool at_socket() const { return source != Source::none && !has_processors() && !has_cards(); }
};
inline constexpr std::array<std::string_view, 8> kSourceNames = {"none",   "rapl",        "nvml",    "rapl+nvml",
                                                                 "shelly", "shelly-gen1", "tasmota", "home-assistant"};

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
    Measure measure;
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
    std::string powercap = "/sys/class/powercap";  // where the kernel shows the processors' counters
    std::string nvml = "libnvidia-ml.so.1";        // the driver's library that shows the cards' counters
    milliseconds every{10'000};                    // between two looks at what measures; 1 to 30 s
};

// The owner's work on all of it.
struct Hours {
    std::optional<Money> rate;  // of an hour
};

}  // namespace tandem::config
