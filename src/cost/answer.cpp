#include "cost/answer.h"

#include <fmt/format.h>

#include <cmath>

namespace tandem::cost {

namespace {

void number(json::Writer& out, std::string_view key, const std::optional<Exact>& value) {
    if (value)
        out.raw_member(key, decimal(*value));
    else
        out.key(key).null();
}

void number(json::Writer& out, std::string_view key, const std::optional<int>& value) {
    if (value)
        out.member(key, *value);
    else
        out.key(key).null();
}

// Of the simulation alone, which counts in doubles.
void number(json::Writer& out, std::string_view key, double value) {
    out.raw_member(key, fmt::format("{:.6f}", value == 0 ? 0.0 : value));
}

void write_months(json::Writer& out, const Answer& answer) {
    const auto& month = answer.month;
    out.key("cloud_per_month").begin_object();
    number(out, "input", month.cloud_input);
    number(out, "cached_input", month.cloud_cached_input);
    number(out, "output", month.cloud_output);
    number(out, "subscription", month.subscription);
    number(out, "bill", month.bill);
    number(out, "other", month.cloud_other);
    number(out, "work", month.cloud_work);
    number(out, "total", month.cloud());
    out.end_object().key("local_per_month").begin_object();
    number(out, "depreciation", month.depreciation);
    number(out, "energy_idle", month.energy_idle);
    number(out, "energy_busy", month.energy_busy);
    number(out, "energy", Exact(month.energy_idle + month.energy_busy));
    number(out, "rent", month.rent);
    number(out, "work", month.work);
    number(out, "capital", month.capital);
    number(out, "maintenance", month.maintenance);
    number(out, "other", month.other);
    number(out, "running", month.running());
    number(out, "total", month.local());
    out.end_object();
}

void write_upfront(json::Writer& out, const Answer& answer) {
    const auto& in = answer.in;
    out.key("upfront").begin_object();
    number(out, "hardware", Exact(price_of(in) * answer.month.machines));
    number(out, "setup_work", Exact(in[Field::setup_hours] * in[Field::hourly_rate]));
    number(out, "setup_cost", in[Field::setup_cost]);
    number(out, "total", answer.payback.upfront);
    out.end_object();
}

void write_capacity(json::Writer& out, const Answer& answer) {
    const auto& in = answer.in;
    const auto& month = answer.month;
    out.key("tokens_per_month").begin_object();
    number(out, "input", in[Field::tokens_input]);
    number(out, "cached_input", in[Field::tokens_cached_input]);
    number(out, "output", in[Field::tokens_output]);
    number(out, "total", Exact(in[Field::tokens_input] + in[Field::tokens_cached_input] + in[Field::tokens_output]));
    out.end_object();
    number(out, "machines", month.machines);
    number(out, "running_hours_per_month", month.running_hours);
    number(out, "busy_hours_per_month", month.busy_hours);
    number(out, "utilisation", answer.derived.utilisation);
    number(out, "capacity_tokens_per_month", answer.derived.capacity_tokens);
    out.key("kwh_per_month").begin_object();
    number(out, "idle", month.kwh_idle);
    number(out, "busy", month.kwh_busy);
    number(out, "total", Exact(month.kwh_idle + month.kwh_busy));
    out.end_object();
}

void write_break_even(json::Writer& out, const Answer& answer) {
    const auto& month = answer.month;
    number(out, "saving_per_month", Exact(month.cloud() - month.running()));
    number(out, "full_saving_per_month", Exact(month.cloud() - month.local()));
    out.key("break_even_month").begin_object();
    number(out, "simple", answer.payback.simple);
    number(out, "cumulative", answer.payback.cumulative);
    out.member("horizon", answer.payback.horizon).end_object();
    number(out, "gain_over_horizon", answer.payback.gain);
    number(out, "machines_at_horizon", answer.payback.machines_at_the_end);
    number(out, "break_even_tokens_per_month", answer.derived.even_tokens);
    number(out, "break_even_tokens_per_month_same_machines", answer.derived.even_tokens_as_is);
}

void write_per_million(json::Writer& out, const Answer& answer) {
    constexpr std::array<std::string_view, 4> kKinds = {"input", "cached_input", "output", "blended"};
    const auto& derived = answer.derived;
    out.key("cloud_per_million").begin_object();
    for (std::size_t i = 0; i < kKinds.size(); ++i) number(out, kKinds[i], derived.cloud_per_million[i]);
    out.end_object().key("local_per_million").begin_object();
    for (std::size_t i = 0; i < kKinds.size(); ++i) number(out, kKinds[i], derived.local_per_million[i]);
    number(out, "at_capacity", derived.local_per_million_at_capacity);
    number(out, "marginal", derived.local_per_million_marginal);
    out.end_object();
}

void write_simulation(json::Writer& out, const Answer& answer) {
    const auto& simulation = answer.simulation;
    out.key("monte_carlo").begin_object();
    out.member("draws", simulation.draws).member("seed", static_cast<std::int64_t>(simulation.seed));
    out.member("ranges", answer.tornado.size());
    number(out, "probability", simulation.probability);
    number(out, "standard_error", simulation.standard_error);
    out.key("months").begin_object();
    number(out, "p10", simulation.months[0]);
    number(out, "p50", simulation.months[1]);
    number(out, "p90", simulation.months[2]);
    out.end_object().key("gain").begin_object();
    number(out, "p10", simulation.gain[0]);
    number(out, "p50", simulation.gain[1]);
    number(out, "p90", simulation.gain[2]);
    number(out, "mean", simulation.mean_gain);
    out.end_object().end_object();
}

void write_tornado(json::Writer& out, const Answer& answer) {
    out.key("tornado").begin_array();
    for (const auto& bar : answer.tornado) {
        out.begin_object().member("key", name_of(bar.field));
        number(out, "low", bar.range.low);
        number(out, "likely", bar.range.likely);
        number(out, "high", bar.range.high);
        number(out, "months_at_low", bar.at_low.cumulative);
        number(out, "months_at_high", bar.at_high.cumulative);
        number(out, "gain_at_low", bar.at_low.gain);
        number(out, "gain_at_high", bar.at_high.gain);
        number(out, "swing", bar.swing);
        out.end_object();
    }
    out.end_array();
}

std::vector<std::string> notes_of(const Answer& answer) {
    std::vector<std::string> notes;
    const auto& in = answer.in;
    if (in[Field::price] > 0 && !in.has(Field::life_months))
        notes.emplace_back(
            "life_months is not given: depreciation is left out, and there is no number of tokens to break even at");
    if (!in.has(Field::life_months) && !in.has(Field::horizon_months))
        notes.push_back(fmt::format("neither life_months nor horizon_months is given: looked at {} months",
                                    answer.payback.horizon));
    const bool speed =
        in.has(Field::throughput_input) || in.has(Field::throughput_output) || in.has(Field::throughput_total);
    if (!answer.derived.capacity_tokens && !speed)
        notes.emplace_back(
            "no throughput is given: the machines are taken to do whatever is asked, and utilisation is not known");
    if (answer.tornado.empty())
        notes.emplace_back(
            "no number is a range {low, likely, high}: the probability is that of certain numbers, 0 or 1");
    if (answer.month.machines > in[Field::machines])
        notes.push_back(fmt::format("{} machines are needed for these tokens", decimal(answer.month.machines)));
    return notes;
}

}  // namespace

Answer answer(const Option& option, int draws, std::uint64_t seed) {
    Answer out;
    out.option = option;
    out.in = likely_inputs(option);
    const Exact one = 1;
    out.month = month_of(out.in, one, one);
    out.payback = payback_of(out.in);
    out.derived = derive(out.in, out.month);
    out.simulation = simulate(option, draws, seed);
    out.tornado = tornado(option);
    out.notes = notes_of(out);
    return out;
}

void write_json(json::Writer& out, const Answer& answer) {
    out.begin_object().member("name", answer.option.name);
    write_capacity(out, answer);
    write_months(out, answer);
    write_upfront(out, answer);
    write_break_even(out, answer);
    write_per_million(out, answer);
    write_simulation(out, answer);
    write_tornado(out, answer);
    out.key("notes").begin_array();
    for (const auto& note : answer.notes) out.value(note);
    out.end_array().end_object();
}

}  // namespace tandem::cost
