// What machines at home cost in a month: depreciation, capital and electricity, and what of it was used. Pure functions
// of the config and of the times in which a machine answered.
//
// Promises: every amount is reckoned in whole numbers and rounded once, half to even, to micro-units; used and idle add
// up to the total exactly, and so do the parts that a total is split into. Energy is measured where whole quarters of
// an hour were (measured.h), else modelled from the owner's watts, and each amount says how much of it is which.
// Formulas with units and an example: docs/concepts/local-cost.md.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "ledger/local/measured.h"

namespace tandem::ledger::local {

// Spans are sorted and do not overlap.
using Times = std::vector<Span>;

// In order, without overlaps.
Times merged(Times times);
// What of `times` lies in `within`.
Times clipped(const Times& times, Span within);
std::int64_t length_of(const Times& times);

// The times of a span in which a kWh has one price. A time-of-use window counts by its zone's clock, in quarters of an
// hour; the first that fits counts, else the tariff.
struct Band {
    Span span;
    Money per_kwh;
};
std::vector<Band> bands_of(const config::Energy& energy, Span span);

// The month of the calendar, in UTC, that a moment lies in.
Span month_at(std::int64_t unix_ms);

// Straight line: (price - residual) x share / life for each month, the one in which it was bought as the first. The
// months of its life add up to (price - residual) x share exactly.
Money depreciation_of(const config::Hardware& machine, Span month);
// Interest on the average investment: (price + residual) / 2 x share x cost of capital / 12, in the months of its life.
Money capital_of(const config::Hardware& machine, Span month);

struct MachineCost {
    std::string id;
    std::int64_t wall_ms = 0;  // in which it was there
    std::int64_t busy_ms = 0;  // of them, in which it answered; two answers at once count once
    Money depreciation, capital;
    Money energy_busy, energy_idle;  // modelled: watts x time x cooling x tariff; the idle one x share
    Money energy_if_idle;            // what the busy times would have drawn without work, x share
    Money hardware_used;             // of depreciation and capital, by busy / wall
    std::int64_t busy_wh = 0, idle_wh = 0;
    std::int64_t measured_wh = 0;  // that counters told, without cooling
    bool measured_any = false;     // counters told of a part of its time
    bool measured_all = false;     // counters told all of it

    Money hardware() const { return depreciation + capital; }
    Money energy() const { return energy_busy + energy_idle; }
    Money total() const { return hardware() + energy(); }
    Money used() const { return hardware_used + energy_busy; }
    Money idle() const { return total() - used(); }
    // "measured", "modelled" or "partly measured".
    std::string_view energy_source() const;
    // What the answers added to what the machine would have cost without them.
    Money marginal() const { return energy_busy - energy_if_idle; }
};

// Of the part `counted` of a month: its part of the month's depreciation and capital, and the electricity of that time.
// `busy` are the times in which it answered. What was measured in a quarter is parted between busy and idle times by
// what they would draw.
MachineCost cost_of(const config::Hardware& machine, const config::Energy& energy, Span month, Span counted,
                    const Times& busy, const Quarters& measured = {});

// Parts of `amount` in proportion to `weights` (none below 0), which add up to it; all 0 where all weights are 0.
std::vector<Money> split(Money amount, std::span<const std::int64_t> weights);

// One answer of a machine: the electricity of its time at busy watts, and its time's part of the month's depreciation
// and capital. Its part of idle times and of the owner's hours is known when the month is over, and is not in it.
struct AnswerCost {
    std::string machine;
    Money energy, hardware;
    bool energy_known = false;  // the machine has watts and there is a tariff
    Money total() const { return energy + hardware; }
    std::string_view energy_source() const { return energy_known ? "modelled" : "not known"; }
    // "electricity 0.000410, modelled, and 0.000102 of workstation"
    std::string text() const;
};
// Nullopt where no machine of the config runs the provider.
std::optional<AnswerCost> cost_of_answer(const config::Config& config, std::string_view provider, std::int64_t time_ms,
                                         std::int64_t total_ms);

// The machine that runs a provider; null: none does.
const config::Hardware* machine_of(const config::Config& config, std::string_view provider);

// "12.400 kWh", of watt-hours.
std::string kwh_text(std::int64_t wh);

// `amount` x `part` / `whole`, half to even; 0 where `whole` is not above 0.
Money part_of(Money amount, std::int64_t part, std::int64_t whole);

}  // namespace tandem::ledger::local
