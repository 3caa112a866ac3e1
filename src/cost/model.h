// What a month costs in the cloud and at home, and when the one has paid for the other. Pure functions of an Option;
// the formulas with their units and sources are in docs/break-even.md.
//
// Each is written once, for two kinds of number: Exact, for everything that is reported (nothing is rounded before it
// is shown, but for growth and decline, whose factors are kept to 30 digits), and double, for the draws of a
// simulation.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "cost/profile.h"

namespace tandem::cost {

// The values of one calculation: the likely ones, those of a draw, or those of a bar of the tornado.
template <typename Number>
struct Inputs {
    std::array<Number, kFields> values;
    std::array<bool, kFields> given;
    bool yearly_steps = false;
    const Number& operator[](Field field) const { return values[static_cast<std::size_t>(field)]; }
    bool has(Field field) const { return given[static_cast<std::size_t>(field)]; }
};

Inputs<Exact> likely_inputs(const Option& option);
Inputs<double> as_doubles(const Inputs<Exact>& inputs);

// Money in the profile's currency for a month; energy in kWh, hours of all machines together.
template <typename Number>
struct Month {
    Number cloud_input = 0, cloud_cached_input = 0, cloud_output = 0, subscription = 0, bill = 0, cloud_other = 0,
           cloud_work = 0;
    Number depreciation = 0, energy_idle = 0, energy_busy = 0, rent = 0, work = 0, capital = 0, maintenance = 0,
           other = 0;
    Number machines = 1;
    Number busy_hours = 0, running_hours = 0, kwh_idle = 0, kwh_busy = 0;
    Number cloud() const {
        return cloud_input + cloud_cached_input + cloud_output + subscription + bill + cloud_other + cloud_work;
    }
    // What is paid each month: everything but depreciation, which is the price paid at the start, spread out.
    Number running() const { return energy_idle + energy_busy + rent + work + capital + maintenance + other; }
    Number local() const { return running() + depreciation; }
};

// Hours of one machine at full speed that a month's tokens take, by kind. Kinds whose speed is not given take none.
template <typename Number>
struct Work {
    Number input = 0, cached = 0, output = 0;
    Number all() const { return input + cached + output; }
};
template <typename Number>
Work<Number> work_of(const Inputs<Number>& in, const Number& volume);

// Hours a month in which one machine is on.
template <typename Number>
Number running_hours(const Inputs<Number>& in);

// What one machine costs this work at the start.
template <typename Number>
Number price_of(const Inputs<Number>& in) {
    return in[Field::price] * in[Field::price_overhead_factor] * in[Field::share];
}

// `volume` multiplies the tokens, `prices` the cloud's prices.
template <typename Number>
Month<Number> month_of(const Inputs<Number>& in, const Number& volume, const Number& prices);

template <typename Number>
struct Payback {
    Number upfront = 0;             // for the machines of the first month, and setting them up
    std::optional<Number> simple;   // months: upfront / saving of the first month; none where nothing is saved
    std::optional<int> cumulative;  // the first month at whose end all that was saved is as much as all that was paid
    int horizon = 0;                // months that were looked at
    Number gain = 0;                // saved less paid up to the horizon, with what the machines are still worth
    Number machines_at_the_end = 1;
};

template <typename Number>
Payback<Number> payback_of(const Inputs<Number>& in);

// What is derived from the first month. None where it has no answer: no tokens, no throughput, a price without a life.
struct Derived {
    std::optional<Exact> capacity_tokens;    // a month, of the machines of the first month, at this mix
    std::optional<Exact> utilisation;        // busy hours over running hours
    std::optional<Exact> even_tokens;        // a month, with whole machines as they are needed
    std::optional<Exact> even_tokens_as_is;  // a month, as if the machines of the first month could do any number
    // $ per million tokens of input, cached input, output, and of all together.
    std::array<std::optional<Exact>, 4> cloud_per_million, local_per_million;
    std::optional<Exact> local_per_million_at_capacity;
    std::optional<Exact> local_per_million_marginal;  // the electricity that one more million takes, above idling
};

Derived derive(const Inputs<Exact>& in, const Month<Exact>& month);

// Where neither horizon_months nor life_months is given.
inline constexpr int kHorizonMonths = 120;

}  // namespace tandem::cost
