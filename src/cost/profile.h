// A profile: what an owner asks models for in a month, what the cloud takes for it, and the machines that could do it
// at home. Promises: every key has one row in a table with its unit and bounds, what is not given is left out of the
// calculation (and never a default that nobody sees), numbers are kept exactly as they were written, and all that is
// wrong is found at once. Keys, units and formulas: docs/break-even.md.
#pragma once

#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::cost {

// A fraction of whole numbers of any size: sums, products and quotients of what was written are exact, and rounded
// once, where they are shown.
using Exact = boost::multiprecision::cpp_rational;
using Whole = boost::multiprecision::cpp_int;

enum class Field : std::uint8_t {
    hours_per_month,
    horizon_months,
    tokens_input,
    tokens_cached_input,
    tokens_output,
    growth_percent,
    peak_factor,
    cloud_input,
    cloud_cached_input,
    cloud_output,
    subscription_per_month,
    bill_per_month,
    cloud_other_per_month,
    cloud_work_hours,
    decline_percent,
    price,
    price_overhead_factor,
    machines,
    residual_value,
    life_months,
    share,
    rent_per_hour,
    rent_per_month,
    rent_overhead_factor,
    running_hours_per_month,
    running_hours_per_day,
    throughput_input,
    throughput_output,
    throughput_total,
    max_utilisation,
    busy_hours_per_month,
    busy_hours_per_day,
    watts,
    watts_idle,
    watts_busy,
    overhead_factor,
    tariff_per_kwh,
    maintenance_percent,
    other_per_month,
    work_hours,
    hourly_rate,
    setup_hours,
    setup_cost,
    cost_of_capital_percent,
    count
};
inline constexpr std::size_t kFields = static_cast<std::size_t>(Field::count);

enum class Place : std::uint8_t { top, tokens, cloud, hardware };

struct FieldRow {
    Field field;
    Place place;
    std::string_view key;   // as the profile writes it
    std::string_view unit;  // for people: "tokens a month"; $ stands for the profile's currency
    double low, high;       // bounds, both allowed; above 0 is meant where `positive`
    bool positive = false;
    int neutral = 0;  // what changes nothing: 0 of what is added, 1 of what is multiplied
};

std::span<const FieldRow, kFields> field_rows();
const FieldRow& row_of(Field field);
// "tokens.output", "hardware.price".
std::string name_of(Field field);

// A number, or the ends and the most likely value of a triangular distribution; low <= likely <= high.
struct Range {
    Exact low, likely, high;
    bool uncertain() const { return low != high; }
};

// One way to have the machines, with the owner's tokens and the cloud's prices beside it.
struct Option {
    std::string name;
    std::array<std::optional<Range>, kFields> values;
    bool yearly_steps = false;  // the cloud's price falls once a year, not a little each month
    bool has(Field field) const { return values[static_cast<std::size_t>(field)].has_value(); }
    // The likely value; the neutral one where none is given.
    Exact likely(Field field) const;
};

struct Profile {
    std::string currency = "USD";
    std::vector<Option> options;
};

// A machine that is described outside of the profile, in tandem.yaml.
struct Machine {
    std::string name;
    std::string currency;
    std::vector<std::pair<Field, Exact>> own;    // before what the profile says at its top
    std::vector<std::pair<Field, Exact>> usual;  // where the profile says nothing
};

// Reads YAML, which JSON is a part of. `source` names it in errors. `machine` (may be null) is one of the options
// where the profile has none of its name; then the profile needs no `hardware`. Errors: invalid, a line for each thing
// that is wrong, with its place, what is right there and the nearest key; too_large above 1 MiB.
Result<Profile> read_profile(std::string_view text, std::string_view source, const Machine* machine = nullptr);

// A decimal as people write it: 0.15, 1e9, 300_000_000; with `suffix`, 300M, 1.5B and 20k too. nullopt where it is
// none, or has more than 60 digits or an exponent beyond 30.
std::optional<Exact> read_number(std::string_view text, bool suffix);

// The least whole number that is not below it.
Exact ceiling(const Exact& value);

// Rounded half to even at `digits` after the point, without zeros at the end: "998.4576".
std::string decimal(const Exact& value, int digits = 12);

}  // namespace tandem::cost
