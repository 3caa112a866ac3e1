#include "energy/plug.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "ledger/prices/amount.h"

namespace tandem::energy {

namespace {

using Source = config::Measure::Source;
using prices::Amount;

constexpr std::int64_t kWattMinute = 60'000'000, kWattHour = 3'600'000'000;  // in microjoules
constexpr std::int64_t kMostHours = 1'000'000'000;                           // watt-hours of a counter that is believed

// `number` of units of so many microjoules. Nullopt: it is no number, below 0 or beyond belief.
std::optional<Counter> counter_of(std::string_view number, std::int64_t unit) {
    const auto amount = Amount::parse(number);
    if (!amount || amount->atto() < 0) return {};
    constexpr Amount::Atto kOne = 1'000'000'000'000'000'000;
    if (amount->atto() / kOne > Amount::Atto(kMostHours) * kWattHour / unit) return {};
    const auto whole = amount->atto() / kOne, rest = amount->atto() % kOne;
    return Counter{static_cast<std::int64_t>(whole * unit + rest * unit / kOne), 0};
}

struct Said {
    std::string number;
    std::int64_t unit = 0;
    std::string_view where;  // for people
};

Said said_in(const config::Measure& measure, const json::Value& root) {
    switch (measure.source) {
        case Source::shelly:
            return {std::string(root["aenergy"]["total"].raw()), kWattHour, "aenergy.total"};
        case Source::shelly_gen1: {
            int index = 0;
            for (const auto meter : root["meters"].children())
                if (index++ == measure.channel)
                    return {std::string(meter["total"].raw()), kWattMinute, "meters[].total"};
            return {"", kWattMinute, "meters[].total"};
        }
        case Source::tasmota:
            return {std::string(root["StatusSNS"]["ENERGY"]["Total"].raw()), kWattHour * 1'000,
                    "StatusSNS.ENERGY.Total"};
        default:
            break;
    }
    const auto unit = root["attributes"]["unit_of_measurement"].text();
    const std::int64_t factor = unit == "Wh" ? 1 : unit == "kWh" ? 1'000 : unit == "MWh" ? 1'000'000 : 0;
    return {factor == 0 ? std::string() : std::string(root["state"].text()),
            kWattHour * std::max<std::int64_t>(1, factor),
            "state with attributes.unit_of_measurement Wh, kWh or MWh: a sensor of energy, not of power"};
}

}  // namespace

std::string path_of(const config::Measure& measure) {
    switch (measure.source) {
        case Source::shelly:
            return fmt::format("/rpc/Switch.GetStatus?id={}", measure.channel);
        case Source::shelly_gen1:
            return "/status";
        case Source::tasmota:
            return "/cm?cmnd=Status%2010";
        default:
            return "/api/states/" + measure.entity;
    }
}

Result<Counter> counter_from(const config::Measure& measure, std::string_view answer) {
    json::Document document;
    if (auto ok = document.parse(answer); !ok)
        return fail(ErrorCode::upstream, fmt::format("its answer is no JSON: {}", printable(answer, 80)));
    const auto said = said_in(measure, document.root());
    const auto counter = counter_of(said.number, said.unit);
    if (!counter)
        return fail(ErrorCode::upstream, fmt::format("its answer has no {}: {}", said.where, printable(answer, 120)));
    return *counter;
}

}  // namespace tandem::energy
