#include "ledger/reports/recompute.h"

#include "ledger/rows.h"

namespace tandem::ledger::reports {

Corrected& Corrected::operator+=(const Corrected& other) {
    for (const auto& [number, day] : other.days) {
        auto& sum = days[number];
        sum.attempts += day.attempts;
        sum.before += day.before;
        sum.after += day.after;
    }
    seen += other.seen;
    charged += other.charged;
    owners += other.owners;
    gone += other.gone;
    return *this;
}

Corrections::Corrections(const Correcting& asked, PresentPrice price, const Pricing& pricing, std::int64_t corrected)
    : asked_(asked), price_(std::move(price)), pricing_(pricing), corrected_(corrected) {}

namespace {

// What an attempt costs, and of which one that is said.
store::Columns<AttemptRecord> price_columns() {
    return store::only(attempt_columns(), {"decision", "number", "cost", "source", "bill"});
}

const store::Table<AttemptRecord>& priced_attempts() {
    static const store::Table<AttemptRecord> table("attempts", price_columns());
    return table;
}

// An attempt as it was before a correction.
struct Before {
    AttemptRecord attempt;
    std::int64_t corrected = 0;
};

const store::Table<Before>& corrected_attempts() {
    static const store::Table<Before> table("corrected_attempts",
                                            store::both(store::within(&Before::attempt, price_columns()),
                                                        {store::column("corrected", &Before::corrected)}));
    return table;
}

// When the request came, by which it was priced; the attempt's own time where that is not kept.
Result<std::int64_t> time_of_request(store::Database& database, const AttemptRecord& attempt) {
    auto row = database.prepare(
        "SELECT CASE WHEN json_valid(inputs) THEN json_extract(inputs, '$.time') END FROM decisions WHERE id = ?");
    const auto id = attempt.decision.text();
    row.bind(1, id);
    const auto found = row.step();
    if (!found) return fail(found.error());
    const auto time = *found ? row.integer(0) : 0;
    return time > 0 ? time : attempt.time;
}

// Of an attempt that nothing was used by, or that nobody was asked in, there is nothing to price.
bool used_something(const AttemptRecord& a) {
    return !a.bill.empty() || a.usage.input.count + a.usage.output.count > 0;
}

Result<> add_to_day(store::Database& database, std::int64_t corrected, std::int64_t day, Money before, Money after) {
    return database
        .prepare(
            "INSERT INTO corrected_days (corrected, day, attempts, before, after) VALUES (?1, ?2, 1, ?3, ?4) ON "
            "CONFLICT (day, corrected) DO UPDATE SET "
            "attempts = attempts + 1, before = min(9000000000000000000, before + excluded.before), after = "
            "min(9000000000000000000, after + excluded.after)")
        .bind(1, corrected)
        .bind(2, day)
        .bind(3, before.micros())
        .bind(4, after.micros())
        .run();
}

}  // namespace

Result<Corrections::Step> Corrections::some(store::Database& database) const {
    Step step;
    step.decision = decision_;
    auto more =
        each_attempt_after(database, decision_, asked_.since, asked_.until, kSome, [&](const AttemptRecord& attempt) {
            step.decision = attempt.decision.text();
            return look_at(database, attempt, step.sum);
        });
    if (!more) return fail(more.error());
    step.more = *more;
    return step;
}

void Corrections::take(Step step) {
    sum_ += step.sum;
    decision_ = std::move(step.decision);
}

Result<> Corrections::look_at(store::Database& database, const AttemptRecord& attempt, Corrected& sum) const {
    using enum prices::PriceSource;
    ++sum.seen;
    if (attempt.source == free || !used_something(attempt)) return {};
    if (attempt.source == provider) return ++sum.charged, Result<>();
    if (attempt.source == owner && !asked_.own_prices) return ++sum.owners, Result<>();
    const auto present = price_(attempt);
    if (!present) return ++sum.gone, Result<>();
    const auto time = time_of_request(database, attempt);
    if (!time) return fail(time.error());
    const auto bill = bill_again(attempt.bill, attempt.usage, present->tariff, *time, present->hints, pricing_);
    if (bill.cost == attempt.cost && bill.source == attempt.source) return {};
    auto& day = sum.days[day_of(attempt.time)];
    ++day.attempts;
    day.before += attempt.cost;
    day.after += bill.cost;
    return asked_.write ? rewrite(database, attempt, bill) : Result<>();
}

Result<> Corrections::rewrite(store::Database& database, const AttemptRecord& attempt, const Bill& bill) const {
    auto ok = corrected_attempts().replace(database, {attempt, corrected_});
    if (ok) ok = add_to_day(database, corrected_, day_of(attempt.time), attempt.cost, bill.cost);
    if (ok) ok = roll_back(database, attempt);
    if (!ok) return ok;
    auto next = attempt;
    next.cost = bill.cost;
    next.source = bill.source;
    // Where nothing is priced any longer, what was used is still known.
    if (!bill.details.empty()) next.bill = bill.details;
    static const auto kPrice = priced_attempts().update({"decision", "number"});
    ok = priced_attempts().run(database, kPrice, next);
    return ok ? roll_up(database, next) : ok;
}

}  // namespace tandem::ledger::reports
