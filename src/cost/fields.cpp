#include <fmt/format.h>

#include <algorithm>

#include "cost/profile.h"

namespace tandem::cost {

namespace {

constexpr double kMostMoney = 1e12, kMostTokens = 1e18, kMostHours = 8784, kMostMonths = 1200;

// In the order of Field, which fields_test checks.
constexpr std::array<FieldRow, kFields> kRows = {{
    {Field::hours_per_month, Place::top, "hours_per_month", "hours in a month", 1, 744, true, 730},
    {Field::horizon_months, Place::top, "horizon_months", "months to look ahead", 1, kMostMonths, true},
    {Field::tokens_input, Place::tokens, "input", "tokens a month, those read from a cache left out", 0, kMostTokens},
    {Field::tokens_cached_input, Place::tokens, "cached_input", "tokens a month read from a cache", 0, kMostTokens},
    {Field::tokens_output, Place::tokens, "output", "tokens a month", 0, kMostTokens},
    {Field::growth_percent, Place::tokens, "growth_percent", "% a month", -100, 100},
    {Field::peak_factor, Place::tokens, "peak_factor", "demand at the peak over the average", 1, 1e6, true, 1},
    {Field::cloud_input, Place::cloud, "input", "$ per million tokens", 0, kMostMoney},
    {Field::cloud_cached_input, Place::cloud, "cached_input", "$ per million tokens", 0, kMostMoney},
    {Field::cloud_output, Place::cloud, "output", "$ per million tokens", 0, kMostMoney},
    {Field::subscription_per_month, Place::cloud, "subscription_per_month", "$ a month", 0, kMostMoney},
    {Field::bill_per_month, Place::cloud, "bill_per_month", "$ a month at today's volume", 0, kMostMoney},
    {Field::cloud_other_per_month, Place::cloud, "other_per_month", "$ a month", 0, kMostMoney},
    {Field::cloud_work_hours, Place::cloud, "work_hours_per_month", "hours a month", 0, 1e6},
    {Field::decline_percent, Place::cloud, "decline_percent", "% a year", -1000, 100},
    {Field::price, Place::hardware, "price", "$ for a machine", 0, kMostMoney},
    {Field::price_overhead_factor, Place::hardware, "price_overhead_factor", "a factor on the price", 0, 1000, false,
     1},
    {Field::machines, Place::hardware, "machines", "machines at least", 1, 1e6, true, 1},
    {Field::residual_value, Place::hardware, "residual_value", "$ for a machine at the end of its life", 0, kMostMoney},
    {Field::life_months, Place::hardware, "life_months", "months", 1, kMostMonths, true},
    {Field::share, Place::hardware, "share", "the part used for this, 0 to 1", 0, 1, false, 1},
    {Field::rent_per_hour, Place::hardware, "rent_per_hour", "$ per hour for a machine", 0, kMostMoney},
    {Field::rent_per_month, Place::hardware, "rent_per_month", "$ a month for a machine", 0, kMostMoney},
    {Field::rent_overhead_factor, Place::hardware, "rent_overhead_factor", "a factor on the rent", 0, 1000, false, 1},
    {Field::running_hours_per_month, Place::hardware, "running_hours_per_month", "hours a month", 0, kMostHours, true},
    {Field::running_hours_per_day, Place::hardware, "running_hours_per_day", "hours a day", 0, 24, true},
    {Field::throughput_input, Place::hardware, "throughput_input", "tokens of input a second", 0, 1e12, true},
    {Field::throughput_output, Place::hardware, "throughput_output", "tokens of output a second", 0, 1e12, true},
    {Field::throughput_total, Place::hardware, "throughput_total", "tokens of any kind a second", 0, 1e12, true},
    {Field::max_utilisation, Place::hardware, "max_utilisation", "the part of full speed it reaches, 0 to 1", 0, 1,
     true, 1},
    {Field::busy_hours_per_month, Place::hardware, "busy_hours_per_month", "hours a month", 0, kMostHours},
    {Field::busy_hours_per_day, Place::hardware, "busy_hours_per_day", "hours a day", 0, 24},
    {Field::watts, Place::hardware, "watts", "watts whenever it is on", 0, 1e9},
    {Field::watts_idle, Place::hardware, "watts_idle", "watts", 0, 1e9},
    {Field::watts_busy, Place::hardware, "watts_busy", "watts", 0, 1e9},
    {Field::overhead_factor, Place::hardware, "overhead_factor", "a factor on electricity", 0, 1000, false, 1},
    {Field::tariff_per_kwh, Place::hardware, "tariff_per_kwh", "$ per kWh", 0, 1e6},
    {Field::maintenance_percent, Place::hardware, "maintenance_percent", "% of the price a year", 0, 1000},
    {Field::other_per_month, Place::hardware, "other_per_month", "$ a month for all machines", 0, kMostMoney},
    {Field::work_hours, Place::hardware, "work_hours_per_month", "hours a month for all machines", 0, 1e6},
    {Field::hourly_rate, Place::hardware, "hourly_rate", "$ per hour of work", 0, 1e9},
    {Field::setup_hours, Place::hardware, "setup_hours", "hours once", 0, 1e6},
    {Field::setup_cost, Place::hardware, "setup_cost", "$ once", 0, kMostMoney},
    {Field::cost_of_capital_percent, Place::hardware, "cost_of_capital_percent", "% a year", 0, 1000},
}};

}  // namespace

std::span<const FieldRow, kFields> field_rows() {
    return kRows;
}

const FieldRow& row_of(Field field) {
    return kRows[static_cast<std::size_t>(field)];
}

std::string name_of(Field field) {
    constexpr std::array<std::string_view, 4> kPlaces = {"", "tokens.", "cloud.", "hardware."};
    const auto& row = row_of(field);
    return fmt::format("{}{}", kPlaces[static_cast<std::size_t>(row.place)], row.key);
}

Exact Option::likely(Field field) const {
    const auto& value = values[static_cast<std::size_t>(field)];
    return value ? value->likely : Exact(row_of(field).neutral);
}

}  // namespace tandem::cost
