#include "ledger/rows.h"

#include <algorithm>

namespace tandem::ledger {

namespace {

using A = AttemptRecord;

// Of an old record: the owner's price where it cost something.
prices::PriceSource source_from(std::string_view name, Money cost) {
    const auto found = std::ranges::find(prices::kPriceSourceNames, name);
    if (found != prices::kPriceSourceNames.end())
        return static_cast<prices::PriceSource>(found - prices::kPriceSourceNames.begin());
    return cost == Money{} ? prices::PriceSource::free : prices::PriceSource::owner;
}

}  // namespace

store::Columns<A> open_attempt_columns() {
    using store::column;
    return {column("decision", &A::decision), column("number", &A::number), column("time", &A::time),
            column("key", &A::key), column("provider", &A::provider), column("model", &A::model),
            column("zone", &A::zone), column("input", &A::usage, &Usage::input),
            column("output", &A::usage, &Usage::output), column("cost", &A::cost),
            // Behind the cost, which tells the source of an old record.
            store::text<A>(
                "source", [](const A& a) { return prices::name_of(a.source); },
                [](A& a, const std::string& name) { a.source = source_from(name, a.cost); }),
            column("team", &A::team), column("alias", &A::alias), column("label", &A::label), column("work", &A::work),
            column("owner", &A::owner), column("workflow", &A::workflow)};
}

store::Columns<A> attempt_columns() {
    using store::column;
    return store::both(
        open_attempt_columns(),
        {column("outcome", &A::outcome), column("status", &A::status), column("error", &A::error),
         column("first_byte_ms", &A::first_byte_ms), column("total_ms", &A::total_ms),
         column("cached", &A::usage, &Usage::cached_input), column("reasoning", &A::usage, &Usage::reasoning),
         column("estimated", &A::usage, &Usage::estimated), column("cache_write", &A::usage, &Usage::cache_write),
         column("warnings", &A::warnings), column("bill", &A::bill), column("code", &A::code)});
}

store::Columns<DecisionRecord> decision_columns() {
    using D = DecisionRecord;
    return {store::column("id", &D::id),
            store::column("time", &D::time),
            store::column("key", &D::key),
            store::column("alias", &D::alias),
            store::column("label", &D::label),
            store::column("rule", &D::rule),
            store::column("routing_table", &D::table),
            store::column("inputs", &D::inputs),
            store::column("outcome", &D::outcome)};
}

}  // namespace tandem::ledger
