#include "config/hardware.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "config/base_url.h"
#include "config/reader.h"

namespace tandem::config {

namespace {

constexpr Money kMostTariff = Money::from_micros(1'000 * kMillion);
constexpr Money kMostRate = Money::from_micros(1'000'000 * kMillion);
constexpr std::string_view kClock = "^(0*([01]?[0-9]|2[0-3]):(00|15|30|45)|0*24:00)$";
constexpr int kMostMonths = 1'200;
constexpr std::size_t kMostMachines = 100;
constexpr std::size_t kMostWindows = 50;
constexpr int kDayMinutes = 24 * 60;

// "48 months", "4 years", "1 month". Nullopt: it is none, or not from 1 month to 100 years.
std::optional<int> months_from(std::string_view text) {
    const auto at = text.find_first_not_of("0123456789");
    if (at == std::string_view::npos) return {};
    const auto count = whole_number(text.substr(0, at));
    const auto unit = trim(text.substr(at));
    const int months = unit == "month" || unit == "months" ? 1 : unit == "year" || unit == "years" ? 12 : 0;
    if (!count || months == 0 || *count < 1 || *count > kMostMonths / months) return {};
    return static_cast<int>(*count) * months;
}

// "22:30" as minutes, in quarters of an hour. Nullopt: it is none.
std::optional<int> minutes_from(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.size() - colon != 3) return {};
    const auto hour = whole_number(text.substr(0, colon)), minute = whole_number(text.substr(colon + 1));
    if (!hour || !minute || *hour > 24 || *minute > 45 || *minute % 15 != 0) return {};
    const int all = static_cast<int>(*hour * 60 + *minute);
    if (all > kDayMinutes) return {};
    return all;
}

void check_clock(Section& s, const std::string& key, const std::string& text, int& minutes) {
    if (text.empty() && !s.has(key)) return;  // it is missing, which is said already
    const auto read = minutes_from(text);
    if (read)
        minutes = *read;
    else
        s.complain(key, fmt::format("expected a quarter of an hour such as \"22:00\" or \"06:45\", got "
                                    "'{}'",
                                    printable(text, 40)));
}

void read_tariff_window(Section& s, Energy& energy) {
    TariffWindow window;
    std::string from, to;
    s.text("from", from,
           About("the quarter of an hour in which another price begins").like(kClock, "22:00").required());
    s.text("to", to,
           About("in which it ends; on the day after where it is not behind `from`").like(kClock, "06:45").required());
    check_clock(s, "from", from, window.from);
    check_clock(s, "to", to, window.to);
    window.from %= kDayMinutes;
    if (window.to == 0) window.to = kDayMinutes;
    if (window.from == window.to) s.complain("to", "is the same as `from`: a window of the whole day is the tariff");
    s.money("price", window.price, Money{}, kMostTariff,
            About("of a kWh in this time").required(": what a kWh costs in this time"));
    const auto days = s.choices("days", kWeekdayNames, {"on which it begins", "all"});
    if (days && !days->empty()) window.days = 0;
    for (const auto day : days.value_or(std::vector<std::size_t>()))
        window.days = static_cast<std::uint8_t>(window.days | 1U << static_cast<unsigned>(day));
    energy.windows.push_back(window);
}

// "sensor.workstation_energy": a domain and a name.
bool is_entity(std::string_view text) {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz_";
    const auto point = text.find_first_not_of(kLetters);
    if (point == 0 || point == std::string_view::npos || text[point] != '.' || point + 1 == text.size()) return false;
    return std::ranges::all_of(text.substr(point + 1),
                               [&](char c) { return kLetters.contains(c) || (c >= '0' && c <= '9'); });
}

void read_measure(Section& s, Measure& measure) {
    s.choice("source", measure.source, kSourceNames,
             About("what tells how much electricity it draws")
                 .see("concepts/local-cost.md#measured-electricity")
                 .required(": rapl, nvml, rapl+nvml, shelly, shelly-gen1, tasmota or home-assistant"));
    s.decimal("rest_watts", measure.rest_watts, 0, kMillion * kMillion,
              About("what the machine draws beside what has counters")
                  .needed("for `rapl` and `nvml`")
                  .where("source", {"rapl", "nvml", "rapl+nvml"}));
    s.text("url", measure.url,
           About("address of the plug or of Home Assistant")
               .like(kServerAddressPattern, "http://192.168.1.20")
               .needed("for plugs")
               .where("source", {"shelly", "shelly-gen1", "tasmota", "home-assistant"}));
    s.number("channel", measure.channel, 0, 15, "of a Shelly with several");
    s.text("entity", measure.entity,
           About("its sensor of energy")
               .like("^([a-z_]+[.][a-z0-9_]+)?$", "sensor.workstation_energy")
               .needed("for `home-assistant`")
               .where("source", {"home-assistant"}));
    s.secret("token", measure.token, "for `home-assistant`");
    const bool plug = measure.at_socket();
    while (measure.url.ends_with('/')) measure.url.pop_back();
    if (plug && !is_server_address(measure.url))
        s.complain("url", "expected the address of the plug such as http://192.168.1.20, without a query or a user");
    if (!plug && !measure.url.empty())
        s.complain("url", "is for plugs; `rapl` and `nvml` read this machine's counters");
    const bool counters = measure.has_processors() || measure.has_cards();
    if (counters && !s.has("rest_watts"))
        s.complain(
            fmt::format("'rest_watts' is missing: what the machine draws beside its {}, which {} does not see: "
                        "power supply, memory, disks{}",
                        !measure.has_cards()        ? "processors"
                        : !measure.has_processors() ? "cards"
                                                    : "processors and cards",
                        kSourceNames[static_cast<std::size_t>(measure.source)],
                        !measure.has_cards()        ? ", cards"
                        : !measure.has_processors() ? ", processors"
                                                    : ""));
    if (!counters && s.has("rest_watts"))
        s.complain("rest_watts", "is for rapl and nvml; a plug measures all of the machine");
    const bool assistant = measure.source == Measure::Source::home_assistant;
    if (assistant == measure.entity.empty())
        s.complain("entity", assistant ? "is missing: the sensor of energy, such as sensor.workstation_energy"
                                       : "is for home-assistant");
    if (!measure.entity.empty() && !is_entity(measure.entity))
        s.complain("entity", "expected a name such as sensor.workstation_energy");
}

// Of the machines, which provider is whose. One that names none has all local providers, so it must be the only one.
void share_out(Section& root, Config& config) {
    std::map<std::string, std::string> owner;
    for (auto& machine : config.hardware) {
        if (machine.providers.empty() && config.hardware.size() > 1) {
            root.complain("hardware", fmt::format("{}.providers is missing: with several machines each names the "
                                                  "providers that run on it",
                                                  machine.id));
            return;
        }
        if (machine.providers.empty())
            for (const auto& provider : config.providers)
                if (provider.zone == Zone::local) machine.providers.push_back(provider.id);
        for (const auto& provider : machine.providers)
            if (const auto [first, fresh] = owner.emplace(provider, machine.id); !fresh)
                root.complain("hardware",
                              fmt::format("the provider '{}' stands at {} and at {}; it runs on one of them",
                                          printable(provider, 60), first->second, machine.id));
    }
}

}  // namespace

void read_hardware(const std::string& id, Section& s, Config& config) {
    Hardware machine;
    machine.id = id;
    if (id.empty() || id.size() > 60 || printable(id) != id) s.complain("expected a name of at most 60 characters");
    s.money("price", machine.price, "what was paid for the machine. It needs `bought` and `life`");
    s.money("residual", machine.residual, "what it is worth at the end of its life");
    if (machine.residual > machine.price) s.complain("residual", "is more than the price: a machine loses value");
    s.time("bought", machine.bought,
           About("the day from which it counts; its month is the first of its life").such_as("2026-03-01"));
    if (machine.bought < 0) s.complain("bought", "expected a day since 1970");
    std::string life;
    s.text("life", life,
           About("the time in which it is written off, 100 years at most")
               .like("^([0-9]+ *(month|months|year|years))?$", "48 months"));
    if (const auto months = months_from(life))
        machine.life_months = *months;
    else if (!life.empty())
        s.complain("life", fmt::format("expected a time such as 48 months or 4 years (100 at most), got '{}'",
                                       printable(life, 40)));
    if (machine.price > Money{} && life.empty())
        s.complain("'life' is missing: the time in which the price is written off, such as 48 months or 4 years");
    if (machine.price > Money{} && !s.has("bought"))
        s.complain("'bought' is missing: the day from which the price is written off, such as 2026-03-01");
    s.decimal("share", machine.share, 0, kMillion,
              "the part of it that is there for this: of its price, its capital and its idle electricity");
    s.decimal("idle_watts", machine.idle_watts, 0, kMillion * kMillion, "what it draws at the socket while it waits");
    s.decimal("busy_watts", machine.busy_watts, 0, kMillion * kMillion, "the same while it answers");
    s.decimal("cost_of_capital_percent", machine.cost_of_capital, 0, 1'000 * kMillion,
              "interest a year on the money in it");
    machine.measure.token = std::make_shared<const Secret>();
    s.section("measure", "what measures its electricity",
              [&](Section& measure) { read_measure(measure, machine.measure); });
    s.texts("providers", machine.providers,
            {"whose models run on it. With several machines each names its own", "all local ones"});
    std::vector<std::string> names;
    for (const auto& provider : config.providers)
        if (provider.zone == Zone::local) names.push_back(provider.id);
    for (const auto& provider : machine.providers)
        if (std::ranges::find(names, provider) == names.end())
            s.complain("providers",
                       fmt::format("no local provider '{}'{}", printable(provider, 60), suggest(provider, names)));
    config.hardware.push_back(std::move(machine));
}

void read_energy(Section& s, Energy& energy) {
    s.money("tariff", energy.tariff, kMostTariff, "of a kWh, outside of all windows. Machines with watts need it");
    s.decimal("cooling", energy.cooling, kMillion, 100 * kMillion,
              "watts that are drawn for each watt of the machines");
    read_time_zone(s, energy.zone, {"whose clock the windows go by", "`time_zone`"});
    s.text("powercap", energy.powercap, "where the kernel shows the processors' counters");
    s.text("nvml", energy.nvml, "the driver's library that shows the counters of NVIDIA's cards");
    // Counters of processors turn over within minutes.
    s.duration("every", energy.every, milliseconds(1'000), milliseconds(30'000),
               "between two looks at what measures; 1s to 30s");
    s.each_listed("windows", "times of the day that have another price",
                  [&](Section& window) { read_tariff_window(window, energy); });
    if (energy.windows.size() > kMostWindows) s.complain("windows", fmt::format("more than {}", kMostWindows));
    if (!energy.windows.empty() && !energy.tariff)
        s.complain("'tariff' is missing: what a kWh costs outside of the windows");
}

void read_hours(Section& s, Hours& hours) {
    s.money("rate", hours.rate, kMostRate, "of an hour of your work, for `tandem cost hours`");
}

void check_hardware(Section& root, Config& config) {
    if (config.hardware.size() > kMostMachines)
        root.complain("hardware", fmt::format("more than {} machines", kMostMachines));
    share_out(root, config);
    if (std::ranges::count_if(config.hardware, [](const Hardware& machine) {
            return machine.measure.has_processors() || machine.measure.has_cards();
        }) > 1)
        root.complain("hardware", "rapl and nvml measure this machine, and stand at two");
    const bool draws = std::ranges::any_of(config.hardware, [](const Hardware& machine) {
        return machine.idle_watts > 0 || machine.busy_watts > 0 || machine.measure.source != Measure::Source::none;
    });
    if (draws && !config.energy.tariff)
        root.complain("hardware", "draws electricity, and energy.tariff is missing: what a kWh costs");
}

}  // namespace tandem::config
