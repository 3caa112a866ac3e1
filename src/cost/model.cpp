#include "cost/model.h"

#include <algorithm>
#include <boost/multiprecision/cpp_dec_float.hpp>
#include <cmath>

namespace tandem::cost {

namespace {

using cost::ceiling;  // of what is exact
// A need of exactly two machines is two, whatever the last bit of a double says.
double ceiling(double value) {
    return std::ceil(value - 1e-9);
}

// Growth that goes on for a century leaves the range of a double; no answer depends on what is behind this.
constexpr int kMostFactorDigits = 100;

// To 30 digits after the point: factors of growth would else get longer with each month.
Exact kept(const Exact& value) {
    static const Whole scale = boost::multiprecision::pow(Whole(10), 30U);
    static const Exact most = Exact(boost::multiprecision::pow(Whole(10), unsigned(kMostFactorDigits)));
    if (value > most) return most;
    return Exact(Whole(boost::multiprecision::numerator(value) * scale / boost::multiprecision::denominator(value)),
                 scale);
}

double kept(double value) {
    return std::min(value, 1e100);
}

bool reached(const Exact& saved, const Exact& paid) {
    return saved >= paid;
}

// Twelve times a hundred is 1,200, whatever the last bits of the sum say.
bool reached(double saved, double paid) {
    return saved >= paid - 1e-9 * paid;
}

// What a price is multiplied by each month so that a year makes it `yearly`.
Exact twelfth_root(const Exact& yearly) {
    using Decimal = boost::multiprecision::cpp_dec_float_100;
    if (yearly <= 0) return 0;
    const Decimal root = boost::multiprecision::pow(
        Decimal(boost::multiprecision::numerator(yearly)) / Decimal(boost::multiprecision::denominator(yearly)),
        Decimal(1) / 12);
    return kept(Exact(Whole(root * pow(Decimal(10), 40)), boost::multiprecision::pow(Whole(10), 40U)));
}

double twelfth_root(double yearly) {
    return yearly <= 0 ? 0 : std::pow(yearly, 1.0 / 12);
}

int whole_months(const Exact& value) {
    return static_cast<int>(Whole(boost::multiprecision::numerator(value) / boost::multiprecision::denominator(value)));
}

int whole_months(double value) {
    return static_cast<int>(value + 1e-9);
}

template <typename Number>
void cloud_costs(const Inputs<Number>& in, const Number& volume, const Number& prices, Month<Number>& month) {
    const Number factor = volume * prices;
    month.cloud_input = in[Field::tokens_input] * in[Field::cloud_input] * factor / 1'000'000;
    month.cloud_cached_input = in[Field::tokens_cached_input] * in[Field::cloud_cached_input] * factor / 1'000'000;
    month.cloud_output = in[Field::tokens_output] * in[Field::cloud_output] * factor / 1'000'000;
    month.bill = in[Field::bill_per_month] * factor;
    month.subscription = in[Field::subscription_per_month];
    month.cloud_other = in[Field::cloud_other_per_month];
    month.cloud_work = in[Field::cloud_work_hours] * in[Field::hourly_rate];
}

template <typename Number>
void energy_costs(const Inputs<Number>& in, Month<Number>& month) {
    const Number running = month.running_hours;
    const bool steady = in.has(Field::watts);
    Number busy = month.busy_hours;
    if (in.has(Field::busy_hours_per_month)) busy = in[Field::busy_hours_per_month] * month.machines;
    if (in.has(Field::busy_hours_per_day))
        busy = in[Field::busy_hours_per_day] * in[Field::hours_per_month] / 24 * month.machines;
    const Number idle_watts = steady ? in[Field::watts] : in[Field::watts_idle];
    const Number busy_watts = steady ? in[Field::watts] : in[Field::watts_busy];
    const Number idle = running > busy ? Number(running - busy) : Number(0);
    const Number factor = in[Field::overhead_factor] / 1000;
    month.kwh_idle = idle * idle_watts * factor * in[Field::share];
    month.kwh_busy = busy * busy_watts * factor;
    month.energy_idle = month.kwh_idle * in[Field::tariff_per_kwh];
    month.energy_busy = month.kwh_busy * in[Field::tariff_per_kwh];
    month.busy_hours = busy;
}

template <typename Number>
void machine_costs(const Inputs<Number>& in, Month<Number>& month) {
    const Number count = month.machines * in[Field::share];
    const Number price = price_of(in) * month.machines;
    const Number left = in[Field::residual_value] * count;
    if (in.has(Field::life_months)) month.depreciation = (price - left) / in[Field::life_months];
    month.capital = (price + left) / 2 * in[Field::cost_of_capital_percent] / 1200;
    month.maintenance = price * in[Field::maintenance_percent] / 1200;
    month.rent = (in[Field::rent_per_hour] * running_hours(in) + in[Field::rent_per_month]) *
                 in[Field::rent_overhead_factor] * count;
    month.work = in[Field::work_hours] * in[Field::hourly_rate];
    month.other = in[Field::other_per_month];
}

}  // namespace

Inputs<Exact> likely_inputs(const Option& option) {
    Inputs<Exact> in;
    in.yearly_steps = option.yearly_steps;
    for (const auto& row : field_rows()) {
        in.values[static_cast<std::size_t>(row.field)] = option.likely(row.field);
        in.given[static_cast<std::size_t>(row.field)] = option.has(row.field);
    }
    return in;
}

Inputs<double> as_doubles(const Inputs<Exact>& inputs) {
    Inputs<double> out;
    out.yearly_steps = inputs.yearly_steps;
    out.given = inputs.given;
    for (std::size_t i = 0; i < kFields; ++i) out.values[i] = static_cast<double>(inputs.values[i]);
    return out;
}

template <typename Number>
Number running_hours(const Inputs<Number>& in) {
    if (in.has(Field::running_hours_per_month)) return in[Field::running_hours_per_month];
    if (in.has(Field::running_hours_per_day)) return in[Field::running_hours_per_day] * in[Field::hours_per_month] / 24;
    return in[Field::hours_per_month];
}

template <typename Number>
Work<Number> work_of(const Inputs<Number>& in, const Number& volume) {
    Work<Number> work;
    const auto hours = [&](Field tokens, Field speed) -> Number {
        return in.has(speed) ? Number(in[tokens] * volume / (in[speed] * 3600)) : Number(0);
    };
    const bool total = in.has(Field::throughput_total);
    work.input = hours(Field::tokens_input, total ? Field::throughput_total : Field::throughput_input);
    work.output = hours(Field::tokens_output, total ? Field::throughput_total : Field::throughput_output);
    if (total) work.cached = hours(Field::tokens_cached_input, Field::throughput_total);
    return work;
}

template <typename Number>
Month<Number> month_of(const Inputs<Number>& in, const Number& volume, const Number& prices) {
    Month<Number> month;
    cloud_costs(in, volume, prices, month);
    month.busy_hours = work_of(in, volume).all();
    const Number each = running_hours(in);
    const Number most = each * in[Field::max_utilisation];
    const Number needed = ceiling(Number(month.busy_hours * in[Field::peak_factor] / most));
    const Number least = ceiling(in[Field::machines]);
    month.machines = needed > least ? needed : least;
    month.running_hours = each * month.machines;
    energy_costs(in, month);
    machine_costs(in, month);
    return month;
}

template <typename Number>
Payback<Number> payback_of(const Inputs<Number>& in) {
    Payback<Number> out;
    const bool changes = in[Field::growth_percent] != 0 || in[Field::decline_percent] != 0;
    const Number growth = 1 + in[Field::growth_percent] / 100;
    const Number yearly = 1 - in[Field::decline_percent] / 100;
    const Number monthly =
        changes && !in.yearly_steps && in[Field::decline_percent] != 0 ? twelfth_root(yearly) : Number(1);
    const Number price = price_of(in);
    Number volume = 1, prices = 1;
    auto month = month_of(in, volume, prices);
    Number bought = month.machines, saved = 0;
    out.upfront = price * bought + in[Field::setup_hours] * in[Field::hourly_rate] + in[Field::setup_cost];
    const Number saving = month.cloud() - month.running();
    if (saving > 0) out.simple = out.upfront / saving;
    Number paid = out.upfront;
    out.horizon = in.has(Field::horizon_months) ? whole_months(in[Field::horizon_months])
                  : in.has(Field::life_months)  ? whole_months(in[Field::life_months])
                                                : kHorizonMonths;
    for (int i = 1; i <= out.horizon; ++i) {
        if (i > 1 && changes) {
            volume = kept(Number(volume * growth));
            if (!in.yearly_steps) prices = kept(Number(prices * monthly));
            if (in.yearly_steps && (i - 1) % 12 == 0) prices = kept(Number(prices * yearly));
            month = month_of(in, volume, prices);
        }
        if (month.machines > bought) {
            paid += (month.machines - bought) * price;
            bought = month.machines;
        }
        saved += month.cloud() - month.running();
        if (!out.cumulative && saved > 0 && reached(saved, paid)) out.cumulative = i;
    }
    out.machines_at_the_end = bought;
    const Number left = in.has(Field::life_months) ? Number(in[Field::residual_value] * in[Field::share] * bought) : 0;
    out.gain = saved - paid + left;
    return out;
}

template Work<Exact> work_of(const Inputs<Exact>&, const Exact&);
template Exact running_hours(const Inputs<Exact>&);
template Month<Exact> month_of(const Inputs<Exact>&, const Exact&, const Exact&);
template Month<double> month_of(const Inputs<double>&, const double&, const double&);
template Payback<Exact> payback_of(const Inputs<Exact>&);
template Payback<double> payback_of(const Inputs<double>&);

}  // namespace tandem::cost
