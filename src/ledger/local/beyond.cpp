// What the page of reports shows of energy and hours: the months of a span together.
#include "base/text.h"
#include "ledger/local/fill.h"
#include "ledger/reports/report.h"

namespace tandem::ledger::local {

namespace {

constexpr int kMostMonths = 1'200;

struct Drawn {
    std::int64_t busy_wh = 0, idle_wh = 0;
    Money busy, idle;
    bool measured = false, modelled = false;
};

std::string_view how(const Drawn& drawn) {
    return !drawn.measured ? "modelled" : drawn.modelled ? "partly measured" : "measured";
}

// Of the months of `span`, by machine in the config's order.
Result<std::vector<Drawn>> add_up(store::Database& database, const config::Config& config, Span span,
                                  std::array<std::int64_t, kKindNames.size()>& work_ms) {
    std::vector<Drawn> all(config.hardware.size());
    Comparison nothing;
    int months = 0;
    for (auto at = month_at(span.start); at.start < span.end && months < kMostMonths; at = month_at(at.end), ++months) {
        Month month;
        month.span = at;
        month.counted = {std::max(at.start, span.start), std::min(at.end, span.end)};
        if (auto ok = fill(database, config, nothing, month); !ok) return fail(ok.error());
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto& cost = month.machines[i];
            all[i].busy_wh += cost.busy_wh;
            all[i].idle_wh += cost.idle_wh;
            all[i].busy += cost.energy_busy;
            all[i].idle += cost.energy_idle;
            all[i].measured = all[i].measured || cost.measured_any;
            all[i].modelled = all[i].modelled || !cost.measured_all;
        }
        for (std::size_t i = 0; i < work_ms.size(); ++i) work_ms[i] = saturating_sum(work_ms[i], month.work_ms[i]);
    }
    return all;
}

}  // namespace

Result<reports::Beyond> beyond_of(store::Database& database, const config::Config& config, const reports::Asked& asked,
                                  std::int64_t now_ms) {
    reports::Beyond beyond;
    if (config.hardware.empty()) return beyond;
    const auto question = reports::question_from(asked.by, asked.since, asked.until, now_ms);
    if (!question) return fail(question.error());
    const auto days = reports::days_of(database, *question);
    if (!days) return fail(days.error());
    beyond.energy.emplace();
    beyond.hours.emplace();
    Span span{question->since, std::min(question->until, now_ms)};
    if (span.start == 0) {  // all time: from what is the first on record
        const auto worked = first_entry(database);
        if (!worked) return fail(worked.error());
        span.start = std::min(*days ? (*days)->first * reports::kDayMs : span.end, worked->value_or(span.end));
    }
    if (span.end <= span.start) return beyond;
    std::array<std::int64_t, kKindNames.size()> work_ms{};
    const auto drawn = add_up(database, config, span, work_ms);
    if (!drawn) return fail(drawn.error());
    for (std::size_t i = 0; i < drawn->size(); ++i) {
        const auto& one = (*drawn)[i];
        const auto name = printable(config.hardware[i].id, 60);
        beyond.energy->push_back({name + ", busy", kwh_text(one.busy_wh), std::string(how(one)), one.busy});
        beyond.energy->push_back({name + ", idle", kwh_text(one.idle_wh), std::string(how(one)), one.idle});
    }
    for (std::size_t i = 0; i < work_ms.size(); ++i)
        beyond.hours->push_back({std::string(kKindNames[i]), hours_text(work_ms[i]) + " h", "typed in",
                                 cost_of_work(work_ms[i], config.hours.rate.value_or(Money{}))});
    return beyond;
}

}  // namespace tandem::ledger::local
