#include "ledger/local/month.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "base/time_text.h"
#include "ledger/local/fill.h"
#include "ledger/reports/report.h"

namespace tandem::ledger::local {

namespace {

constexpr std::int64_t kDay = reports::kDayMs;
constexpr std::size_t kMostGroups = 1'000;     // clients can name models where a pattern stands for any name
constexpr std::size_t kMostTimes = 1'000'000;  // of a machine before they are merged for the first time

// "2026-11" as the month's span. Errors: invalid.
Result<Span> month_from(std::string_view text, std::int64_t now_ms) {
    if (text.empty()) return month_at(now_ms);
    const auto time = text.size() == 7 ? time_from(std::string(text) + "-01") : std::nullopt;
    if (!time || *time < 0)
        return fail(ErrorCode::invalid,
                    fmt::format("month: expected a month such as 2026-11, got '{}'", printable(text, 40)), "month");
    if (*time > now_ms)
        return fail(ErrorCode::invalid, fmt::format("month: {} has not begun", printable(text, 40)), "month");
    return month_at(*time);
}

// Times of a day in which a machine was busy for `ms` in all, spread evenly over its quarters of an hour.
void spread(std::int64_t day, std::int64_t ms, Times& times) {
    constexpr std::int64_t kQuarters = 96, kQuarter = kDay / kQuarters;
    const auto all = std::min(ms, kDay);
    for (std::int64_t i = 0; i < kQuarters; ++i) {
        const auto start = day * kDay + i * kQuarter;
        const auto part = all * (i + 1) / kQuarters - all * i / kQuarters;
        if (part > 0) times.push_back({start, start + part});
    }
}

// Not what nobody was asked for, and not what was under way when tandem was killed: its row has what was reserved.
bool was_work(std::string_view outcome) {
    return outcome != "skipped" && outcome != "cached" && outcome != "lost";
}

// Adds up the local attempts of a month: machines' busy times, groups, the cloud's price.
class Adder {
  public:
    Adder(const config::Config& config, Span span, Comparison& comparison)
        : config_(config),
          span_(span),
          comparison_(comparison),
          busy_(config.hardware.size()),
          room_(busy_.size(), kMostTimes) {}

    Result<> add_rows(store::Database& database, std::int64_t since) {
        return each_attempt(database, since, span_.end, [this](const AttemptRecord& a) -> Result<> {
            if (a.zone != Zone::local || !was_work(a.outcome)) return {};
            const auto machine = machine_at(a.provider);
            if (machine) {
                auto& times = busy_[*machine];
                times.push_back({a.time, a.time + std::clamp<std::int64_t>(a.total_ms, 0, kDay)});
                // Twice as many again where few of them touch each other, so that this stays linear.
                if (times.size() >= room_[*machine]) {
                    times = merged(std::move(times));
                    room_[*machine] = std::max(kMostTimes, 2 * times.size());
                }
            }
            count(reports::kind_of(a), reports::sums_of(a), machine);
            comparison_.add(a.usage, a.time, 1);
            return {};
        });
    }

    // Of days whose attempts are no longer kept one by one.
    Result<> add_sums(store::Database& database, std::int64_t first_day, std::int64_t last_day) {
        std::map<std::pair<std::size_t, std::int64_t>, std::int64_t> busy;
        auto ok = reports::each_sum(
            database, first_day, last_day, [&](std::int64_t day, const reports::Kind& kind, const reports::Sums& sums) {
                if (kind.zone != Zone::local || !was_work(kind.outcome)) return;
                const auto machine = machine_at(kind.provider);
                if (machine) busy[{*machine, day}] = saturating_sum(busy[{*machine, day}], sums.total_ms);
                count(kind, sums, machine);
                if (sums.attempts > 0) comparison_.add(mean_of(sums), day * kDay, sums.attempts);
            });
        if (!ok) return ok;
        for (const auto& [where, ms] : busy) spread(where.second, ms, busy_[where.first]);
        return {};
    }

    Result<> finish(store::Database& database, Month& month) {
        for (std::size_t i = 0; i < busy_.size(); ++i) {
            const auto& machine = config_.hardware[i];
            const auto quarters = measured(database, machine.id, span_);
            if (!quarters) return fail(quarters.error());
            month.machines.push_back(
                cost_of(machine, config_.energy, month.span, span_, merged(std::move(busy_[i])), *quarters));
        }
        share_out(month, models_, month.by_model);
        share_out(month, works_, month.by_work);
        month.all = all_;
        for (const auto& one : month.by_work) {
            month.all.used += one.used;
            month.all.full += one.full;
            month.all.marginal += one.marginal;
        }
        month.charged = charged_;
        if (!homeless_.empty())
            month.notes.push_back(
                fmt::format("no machine of hardware: runs the provider {}, so its answers have only their part of the "
                            "hours",
                            join(std::vector<std::string>(homeless_.begin(), homeless_.end()), ", ")));
        return {};
    }

  private:
    struct Part {
        Group group;
        std::vector<std::int64_t> ms;  // by machine; the last is of none
    };
    using Parts = std::map<std::string, Part>;

    std::optional<std::size_t> machine_at(const std::string& provider) {
        const auto* machine = machine_of(config_, provider);
        if (machine == nullptr) return {};
        return static_cast<std::size_t>(machine - config_.hardware.data());
    }

    static Usage mean_of(const reports::Sums& sums) {
        const auto each = [&](Tokens tokens) { return Tokens{tokens.count / sums.attempts}; };
        const auto& u = sums.usage;
        return {each(u.input), each(u.cached_input), each(u.output), each(u.reasoning), true, each(u.cache_write)};
    }

    void count(const reports::Kind& kind, const reports::Sums& sums, std::optional<std::size_t> machine) {
        const auto add = [&](Group& group) {
            group.attempts = saturating_sum(group.attempts, sums.attempts);
            if (kind.outcome == "answered") group.answered = saturating_sum(group.answered, sums.attempts);
            group.usage = group.usage + sums.usage;
            group.usage.estimated = group.usage.estimated || kind.estimated;
            group.ms = saturating_sum(group.ms, sums.total_ms);
        };
        const auto part = [&](Parts& parts, const std::string& name) {
            const bool room = parts.size() < kMostGroups || parts.contains(name);
            auto& one = parts[room ? name : "(other)"];
            one.ms.resize(busy_.size() + 1);
            add(one.group);
            auto& ms = one.ms[machine.value_or(busy_.size())];
            ms = saturating_sum(ms, sums.total_ms);
        };
        add(all_);
        part(models_, kind.model);
        part(works_, kind.work);
        charged_ += sums.cost;
        if (!machine && homeless_.size() < 20) homeless_.insert(kind.provider);
    }

    // Each group its part of what each machine cost, by the time that it took there, and of the hours, by all its time.
    void share_out(const Month& month, Parts& parts, std::vector<Group>& groups) const {
        std::vector<std::int64_t> weights(parts.size());
        const auto divide = [&](Money amount, Money Group::* where) {
            const auto shares = split(amount, weights);
            std::size_t i = 0;
            for (auto& [name, part] : parts) part.group.*where += shares[i++];
        };
        for (std::size_t machine = 0; machine < busy_.size(); ++machine) {
            std::size_t i = 0;
            for (const auto& [name, part] : parts) weights[i++] = part.ms[machine];
            divide(month.machines[machine].used(), &Group::used);
            divide(month.machines[machine].total(), &Group::full);
            divide(month.machines[machine].marginal(), &Group::marginal);
        }
        std::size_t i = 0;
        for (const auto& [name, part] : parts) weights[i++] = part.group.ms;
        divide(month.work, &Group::full);
        for (auto& [name, part] : parts) {
            part.group.name = name;
            groups.push_back(std::move(part.group));
        }
        std::ranges::sort(groups, [](const Group& a, const Group& b) {
            return a.full != b.full ? a.full > b.full : a.ms != b.ms ? a.ms > b.ms : a.name < b.name;
        });
    }

    const config::Config& config_;
    Span span_;
    Comparison& comparison_;
    std::vector<Times> busy_;        // by machine
    std::vector<std::size_t> room_;  // so many before they are merged
    Parts models_, works_;
    Group all_;
    Money charged_;
    std::set<std::string> homeless_;
};

Result<> add_hours(store::Database& database, const config::Config& config, Month& month) {
    const auto list = entries(database, month.counted.start, month.counted.end);
    if (!list)
        return fail(ErrorCode::storage,
                    fmt::format("the hours of work cannot be read ({}); where the ledger was last written by an older "
                                "tandem, start `tandem serve` of this version once",
                                list.error().message));
    std::int64_t all = 0;
    for (const auto& entry : *list) {
        auto& sum = month.work_ms[static_cast<std::size_t>(entry.kind)];
        sum = saturating_sum(sum, entry.ms);
        all = saturating_sum(all, entry.ms);
    }
    month.work = cost_of_work(all, config.hours.rate.value_or(Money{}));
    if (all > 0 && !config.hours.rate)
        month.notes.emplace_back("hours.rate is not in tandem.yaml: the hours of work cost nothing here");
    return {};
}

void add_notes(const config::Config& config, Month& month) {
    for (const auto& machine : config.hardware)
        if (machine.bought >= month.counted.end)
            month.notes.push_back(
                fmt::format("the machine '{}' costs nothing here: hardware.{}.bought is {}, which is later",
                            printable(machine.id, 60), printable(machine.id, 60), date_text(machine.bought)));
    if (!month.ended)
        month.notes.push_back(fmt::format("the month is not over: costs and tokens are those until {}",
                                          time_text(month.counted.end / 1000 * 1000)));
    for (const auto& machine : config.hardware)
        if (machine.busy_watts == 0 && machine.idle_watts == 0 &&
            machine.measure.source == config::Measure::Source::none)
            month.notes.push_back(
                fmt::format("hardware.{}: no idle_watts and busy_watts are given, so its electricity "
                            "is not counted",
                            machine.id));
    if (!month.cloud)
        month.notes.emplace_back(
            config.currency == "USD"
                ? "there is no cloud model with a price to compare with: --against openai/gpt-5.1 names one of the "
                  "price book"
                : "there is no cloud model with a price to compare with: set models.*.price of one (the price book is "
                  "in "
                  "USD)");
    if (month.charged > Money{})
        month.notes.push_back(fmt::format(
            "the ledger has booked {} for local models by models.*.price besides, which is not counted here",
            month.charged.text()));
}

}  // namespace

Result<> fill(store::Database& database, const config::Config& config, Comparison& comparison, Month& month) {
    const auto kept = reports::kept_since(database);
    if (!kept) return fail(kept.error());
    if (auto ok = add_hours(database, config, month); !ok) return fail(ok.error());
    const auto span = month.counted;
    Adder adder(config, span, comparison);
    // Whole days where their rows are gone.
    const auto first_row = std::clamp((*kept + kDay - 1) / kDay * kDay, span.start, std::max(span.start, span.end));
    if (first_row > span.start) {
        if (auto ok = adder.add_sums(database, span.start / kDay, (first_row - 1) / kDay); !ok) return fail(ok.error());
        month.notes.push_back(fmt::format(
            "the single attempts of before {} are no longer kept: their busy times are spread over their days, and the "
            "cloud's price is that of the mean answer of each kind",
            date_text(first_row / 1000 * 1000)));
    }
    if (first_row < span.end)
        if (auto ok = adder.add_rows(database, first_row); !ok) return fail(ok.error());
    return adder.finish(database, month);
}

Result<Month> month_of(store::Database& database, const config::Config& config, const Asked& asked,
                       std::int64_t now_ms) {
    if (config.hardware.empty())
        return fail(ErrorCode::invalid,
                    "there is no hardware: in tandem.yaml, so what local answers cost is not known; "
                    "docs/concepts/local-cost.md says what to write");
    const auto span = month_from(asked.month, now_ms);
    if (!span) return fail(span.error());
    auto comparison = Comparison::of(config, asked.against);
    if (!comparison) return fail(comparison.error());
    Month month;
    month.span = *span;
    month.name = reports::month_text(span->start / kDay);
    month.counted = {span->start, std::min(now_ms, span->end)};
    month.ended = now_ms >= span->end;
    // All that is read is of one moment, whatever is written meanwhile.
    if (auto ok = database.execute("BEGIN"); !ok) return fail(ok.error());
    const auto filled = fill(database, config, *comparison, month);
    if (auto ok = database.execute("COMMIT"); !ok && filled) return fail(ok.error());
    if (!filled) return fail(filled.error());
    month.cloud = comparison->dearest();
    add_notes(config, month);
    return month;
}

namespace {

Money sum_of(const std::vector<MachineCost>& machines, Money (MachineCost::*what)() const) {
    Money sum;
    for (const auto& machine : machines) sum += (machine.*what)();
    return sum;
}

}  // namespace

Money Month::hardware() const {
    return sum_of(machines, &MachineCost::hardware);
}
Money Month::energy() const {
    return sum_of(machines, &MachineCost::energy);
}
std::string_view Month::energy_source() const {
    const auto is = [&](std::string_view source) {
        return std::ranges::all_of(machines, [&](const MachineCost& one) { return one.energy_source() == source; });
    };
    return is("measured") ? "measured" : is("modelled") ? "modelled" : "partly measured";
}
Money Month::idle() const {
    return sum_of(machines, &MachineCost::idle);
}
Money Month::used() const {
    return sum_of(machines, &MachineCost::used);
}
Money Month::total() const {
    return hardware() + energy() + work;
}

std::optional<Money> Month::per_million(Money amount) const {
    const auto tokens = (all.usage.input + all.usage.output).count;
    if (tokens <= 0) return {};
    return part_of(amount, config::kMillion, tokens);
}

std::optional<Money> Month::per_answer(Money amount) const {
    if (all.answered <= 0) return {};
    return part_of(amount, 1, all.answered);
}

}  // namespace tandem::ledger::local
