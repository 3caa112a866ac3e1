#include "ledger/local/cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "base/text.h"
#include "ledger/reports/rollup.h"

namespace tandem::ledger::local {

namespace {

using Whole = boost::multiprecision::cpp_int;
using config::kMillion;

// Rounded half to even, within the range of money. `over` is above 0.
std::int64_t rounded(const Whole& value, const Whole& over) {
    const bool negative = value < 0;
    const Whole size = negative ? Whole(-value) : value;
    Whole whole = size / over;
    const Whole twice = (size % over) * 2;
    if (twice > over || (twice == over && whole % 2 != 0)) ++whole;
    const Whole most = INT64_MAX;
    const auto amount = static_cast<std::int64_t>(whole > most ? most : whole);
    return negative ? -amount : amount;
}

Money money(const Whole& micros, const Whole& over) {
    return Money::from_micros(rounded(micros, over));
}

// The how manieth month of the machine's life begins with `month`, from 1; nullopt: none does.
std::optional<std::int64_t> month_of_life(const config::Hardware& machine, Span month) {
    if (machine.life_months <= 0) return {};
    const auto which = reports::month_of_day(reports::day_of(month.start)) -
                       reports::month_of_day(reports::day_of(machine.bought)) + 1;
    if (which < 1 || which > machine.life_months) return {};
    return which;
}

Money tariff_at(const config::Energy& energy, std::int64_t at) {
    if (!energy.windows.empty()) {
        const auto [minute, day] = local_minute(at, energy.zone);
        const auto on = [](std::uint8_t days, unsigned which) { return (days >> which & 1U) != 0; };
        const auto today = static_cast<unsigned>(day), yesterday = (today + 6) % 7;
        for (const auto& window : energy.windows) {
            const bool over_midnight = window.from > window.to;
            const bool before_end = minute < window.to;
            const bool begun = minute >= window.from && on(window.days, today);
            if (over_midnight ? begun || (before_end && on(window.days, yesterday)) : begun && before_end)
                return window.price;
        }
    }
    return energy.tariff.value_or(Money{});
}

// What times cost per microwatt and cooling: the sum over the bands of ms x micro-units of a kWh.
Whole priced_ms(const std::vector<Band>& bands, const Times& times) {
    Whole sum = 0;
    auto band = bands.begin();
    for (const auto& time : times) {
        while (band != bands.end() && band->span.end <= time.start) ++band;
        for (auto at = band; at != bands.end() && at->span.start < time.end; ++at) {
            const auto start = std::max(time.start, at->span.start), end = std::min(time.end, at->span.end);
            if (end > start) sum += Whole(end - start) * at->per_kwh.micros();
        }
    }
    return sum;
}

// Energy in nanojoules, as it is (ms x microwatts), and multiplied by the micro-units of a kWh at its time.
struct Drawn {
    Whole nj = 0, priced = 0;
    Drawn& operator+=(const Drawn& other) {
        nj += other.nj;
        priced += other.priced;
        return *this;
    }
};

Drawn modelled(const std::vector<Band>& bands, const Times& times, std::int64_t watts) {
    return {Whole(length_of(times)) * watts, priced_ms(bands, times) * watts};
}

constexpr std::int64_t kNanoPerWattHour = 3'600'000'000'000;  // nanojoules

// x cooling and share (in millionths), rounded once.
Money energy_money(const Whole& priced, std::int64_t cooling, std::int64_t share) {
    static const Whole kOver = Whole(kNanoPerWattHour) * 1'000 * kMillion * kMillion;  // of a kWh
    return money(priced * cooling * share, kOver);
}

std::int64_t watt_hours(const Whole& nj, std::int64_t cooling, std::int64_t share) {
    static const Whole kOver = Whole(kNanoPerWattHour) * kMillion * kMillion;
    return rounded(nj * cooling * share, kOver);
}

// What of `within` is not in `times`.
Times others(const Times& times, Span within) {
    Times out;
    auto at = within.start;
    for (const auto& time : times) {
        if (time.start > at) out.push_back({at, time.start});
        at = std::max(at, time.end);
    }
    if (at < within.end) out.push_back({at, within.end});
    return out;
}

// What was measured in the whole quarters of `there`, parted between busy and idle times.
struct Measured {
    Times times;  // the quarters
    Drawn busy, idle;
    Whole nj = 0;  // of both, the part that a counter told
};

Measured parted(const config::Hardware& machine, const config::Energy& energy, Span there, const Times& working,
                const Quarters& quarters) {
    Measured out;
    const Whole rest = machine.measure.at_socket() ? Whole(0) : Whole(machine.measure.rest_watts) * kQuarter;
    auto first = working.begin();
    for (const auto& quarter : quarters) {
        const Span span{quarter.start, quarter.start + kQuarter};
        if (!quarter.whole() || span.start < there.start || span.end > there.end) continue;
        while (first != working.end() && first->end <= span.start) ++first;
        std::int64_t busy = 0;
        for (auto at = first; at != working.end() && at->start < span.end; ++at)
            busy += std::min(at->end, span.end) - std::max(at->start, span.start);
        Whole busy_weight = Whole(busy) * machine.busy_watts, weight = Whole(kQuarter - busy) * machine.idle_watts;
        weight += busy_weight;
        if (weight == 0) {
            busy_weight = busy;
            weight = kQuarter;
        }
        const Whole told = Whole(quarter.uj) * 1'000, all = told + rest;
        const Whole of_busy = all * busy_weight / weight;
        const Whole price = tariff_at(energy, span.start).micros();
        out.busy += {of_busy, of_busy * price};
        out.idle += {all - of_busy, (all - of_busy) * price};
        out.nj += told;
        out.times.push_back(span);
    }
    return out;
}

// What of `times` is not in `without`.
Times less(const Times& times, const Times& without) {
    Times out;
    for (const auto& time : times)
        for (const auto& part : others(clipped(without, time), time)) out.push_back(part);
    return out;
}

}  // namespace

Times merged(Times times) {
    std::erase_if(times, [](const Span& time) { return time.end <= time.start; });
    std::ranges::sort(times, {}, &Span::start);
    Times out;
    for (const auto& time : times)
        if (!out.empty() && time.start <= out.back().end)
            out.back().end = std::max(out.back().end, time.end);
        else
            out.push_back(time);
    return out;
}

Times clipped(const Times& times, Span within) {
    Times out;
    for (const auto& time : times) {
        const Span part{std::max(time.start, within.start), std::min(time.end, within.end)};
        if (part.end > part.start) out.push_back(part);
    }
    return out;
}

std::int64_t length_of(const Times& times) {
    std::int64_t sum = 0;
    for (const auto& time : times) sum += time.end - time.start;
    return sum;
}

std::vector<Band> bands_of(const config::Energy& energy, Span span) {
    std::vector<Band> bands;
    if (span.end <= span.start) return bands;
    if (energy.windows.empty()) return {{span, energy.tariff.value_or(Money{})}};
    for (auto at = span.start; at < span.end;) {
        const auto next = std::min(span.end, (at / kQuarter + 1) * kQuarter);
        const auto price = tariff_at(energy, at);
        if (!bands.empty() && bands.back().per_kwh == price)
            bands.back().span.end = next;
        else
            bands.push_back({{at, next}, price});
        at = next;
    }
    return bands;
}

Span month_at(std::int64_t unix_ms) {
    return span_of(Period::month, WallTime(milliseconds(unix_ms)));
}

std::string kwh_text(std::int64_t wh) {
    return fmt::format("{}.{:03} kWh", wh / 1000, wh % 1000);
}

Money part_of(Money amount, std::int64_t part, std::int64_t whole) {
    return whole <= 0 ? Money{} : money(Whole(amount.micros()) * part, whole);
}

Money depreciation_of(const config::Hardware& machine, Span month) {
    const auto which = month_of_life(machine, month);
    if (!which) return {};
    const auto all = money(Whole((machine.price - machine.residual).micros()) * machine.share, kMillion);
    return part_of(all, *which, machine.life_months) - part_of(all, *which - 1, machine.life_months);
}

Money capital_of(const config::Hardware& machine, Span month) {
    if (!month_of_life(machine, month)) return {};
    static const Whole kOver = Whole(2) * kMillion * 12 * 100 * kMillion;
    return money((Whole(machine.price.micros()) + machine.residual.micros()) * machine.share * machine.cost_of_capital,
                 kOver);
}

std::string_view MachineCost::energy_source() const {
    if (!measured_any) return "modelled";
    return measured_all ? "measured" : "partly measured";
}

MachineCost cost_of(const config::Hardware& machine, const config::Energy& energy, Span month, Span counted,
                    const Times& busy, const Quarters& quarters) {
    MachineCost cost;
    cost.id = machine.id;
    counted = {std::max(month.start, counted.start), std::min(month.end, counted.end)};
    if (counted.end <= counted.start) return cost;
    const Span there{std::max(counted.start, machine.bought), counted.end};
    const auto elapsed = counted.end - counted.start, whole = month.end - month.start;
    cost.depreciation = part_of(depreciation_of(machine, month), elapsed, whole);
    cost.capital = part_of(capital_of(machine, month), elapsed, whole);
    if (there.end <= there.start) return cost;
    const auto working = clipped(busy, there), waiting = others(working, there);
    cost.wall_ms = there.end - there.start;
    cost.busy_ms = length_of(working);
    const auto bands = bands_of(energy, there);
    const auto measured = parted(machine, energy, there, working, quarters);
    auto drawn_busy = modelled(bands, less(working, measured.times), machine.busy_watts);
    auto drawn_idle = modelled(bands, less(waiting, measured.times), machine.idle_watts);
    cost.measured_any = !measured.times.empty();
    cost.measured_all = cost.measured_any && drawn_busy.nj == 0 && drawn_idle.nj == 0 &&
                        measured.busy.nj + measured.idle.nj == measured.nj;
    drawn_busy += measured.busy;
    drawn_idle += measured.idle;
    cost.energy_busy = energy_money(drawn_busy.priced, energy.cooling, kMillion);
    cost.energy_idle = energy_money(drawn_idle.priced, energy.cooling, machine.share);
    cost.energy_if_idle =
        energy_money(modelled(bands, working, machine.idle_watts).priced, energy.cooling, machine.share);
    cost.hardware_used = part_of(cost.hardware(), cost.busy_ms, cost.wall_ms);
    cost.busy_wh = watt_hours(drawn_busy.nj, energy.cooling, kMillion);
    cost.idle_wh = watt_hours(drawn_idle.nj, energy.cooling, machine.share);
    cost.measured_wh = watt_hours(measured.nj, kMillion, kMillion);
    return cost;
}

std::vector<Money> split(Money amount, std::span<const std::int64_t> weights) {
    std::vector<Money> parts(weights.size());
    std::int64_t all = 0, seen = 0;
    for (const auto weight : weights) all = saturating_sum(all, weight);
    Money given;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        seen = saturating_sum(seen, weights[i]);
        const auto upto = part_of(amount, seen, all);
        parts[i] = upto - given;
        given = upto;
    }
    return parts;
}

const config::Hardware* machine_of(const config::Config& config, std::string_view provider) {
    for (const auto& machine : config.hardware)
        if (std::ranges::find(machine.providers, provider) != machine.providers.end()) return &machine;
    return nullptr;
}

std::string AnswerCost::text() const {
    if (!energy_known) return fmt::format("of {}; its electricity is not known", printable(machine, 60));
    return fmt::format("electricity {}, {}, and {} of {}", energy.text(), energy_source(), hardware.text(),
                       printable(machine, 60));
}

std::optional<AnswerCost> cost_of_answer(const config::Config& config, std::string_view provider, std::int64_t time_ms,
                                         std::int64_t total_ms) {
    const auto* machine = machine_of(config, provider);
    if (machine == nullptr || time_ms < machine->bought) return {};
    constexpr std::int64_t kLongest = 7 * 86'400'000;
    const auto month = month_at(time_ms);
    const Span span{time_ms, time_ms + std::clamp<std::int64_t>(total_ms, 0, kLongest)};
    AnswerCost cost;
    cost.machine = machine->id;
    cost.energy_known = machine->busy_watts > 0 && config.energy.tariff;
    cost.energy = energy_money(modelled(bands_of(config.energy, span), {span}, machine->busy_watts).priced,
                               config.energy.cooling, kMillion);
    cost.hardware = part_of(depreciation_of(*machine, month) + capital_of(*machine, month), span.end - span.start,
                            month.end - month.start);
    return cost;
}

}  // namespace tandem::ledger::local
