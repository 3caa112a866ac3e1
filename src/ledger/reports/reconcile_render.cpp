// What came of a reconciliation, for a terminal and as JSON.
#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "ledger/reports/question.h"
#include "ledger/reports/reconcile.h"

namespace tandem::ledger::reports {

namespace {

std::string_view shown(std::string_view name) {
    return name.empty() ? "(all)" : name;
}

std::string signed_text(prices::Amount amount) {
    auto text = amount.plain();
    return amount > prices::Amount() ? "+" + text : text;
}

std::string cost_text(const Side& side) {
    return side.cost ? side.cost->plain() : "-";
}

void write_side(json::Writer& out, const Side& side) {
    out.begin_object().key("requests");
    if (side.requests)
        out.value(*side.requests);
    else
        out.null();
    if (side.has_usage)
        out.member("input", side.usage.input.count)
            .member("cached_input", side.usage.cached_input.count)
            .member("cache_write", side.usage.cache_write.count)
            .member("output", side.usage.output.count);
    out.key("cost");
    if (side.cost)
        out.value(side.cost->plain());
    else
        out.null();
    out.end_object();
}

}  // namespace

std::string as_text(const Reconciled& result, std::string_view currency, bool all) {
    std::string out = fmt::format("{:<11} {:<28} {:<16} {:>16} {:>16} {:>16}\n", "day", "model", "key", "theirs",
                                  "ours", fmt::format("difference, {}", currency));
    std::size_t same = 0;
    for (const auto& row : result.rows) {
        if (row.same()) {
            ++same;
            if (!all) continue;
        }
        out += fmt::format("{:<11} {:<28} {:<16} {:>16} {:>16} {:>16}{}\n", day_text(row.day),
                           printable(shown(row.model), 28), printable(shown(row.key), 16), cost_text(row.theirs),
                           cost_text(row.ours), signed_text(row.amount),
                           row.by_price ? " (its tokens, by the price here)" : "");
        for (const auto& reason : row.reasons)
            out += fmt::format("            {:<12} {:>16}  {}\n", kCauseNames[static_cast<std::size_t>(reason.cause)],
                               signed_text(reason.amount), reason.text);
    }
    out += fmt::format("{:<57} {:>16} {:>16} {:>16}\n", "total", result.theirs.plain(), result.ours.plain(),
                       signed_text(result.difference));
    for (std::size_t i = 0; i < result.causes.size(); ++i)
        if (result.causes[i] != prices::Amount())
            out += fmt::format("            {:<12} {:>16}\n", kCauseNames[i], signed_text(result.causes[i]));
    if (!result.rows.empty())
        out += fmt::format("\n{} of {} rows agree{}\n", same, result.rows.size(),
                           same > 0 && !all ? " (--all shows them)" : "");
    for (const auto& note : result.notes) out += fmt::format("note: {}\n", note);
    return out;
}

std::string as_json(const Reconciled& result, std::string_view currency) {
    json::Writer out;
    out.begin_object().member("provider", result.provider).member("currency", currency);
    out.member("first_day", day_text(result.first_day)).member("last_day", day_text(result.last_day));
    out.key("rows").begin_array();
    for (const auto& row : result.rows) {
        out.begin_object().member("day", day_text(row.day)).member("model", row.model).member("key", row.key);
        out.key("theirs");
        write_side(out, row.theirs);
        out.key("ours");
        write_side(out, row.ours);
        out.member("difference", row.amount.plain()).member("of_tokens_by_price", row.by_price).key("causes");
        out.begin_array();
        for (const auto& reason : row.reasons)
            out.begin_object()
                .member("cause", kCauseNames[static_cast<std::size_t>(reason.cause)])
                .member("amount", reason.amount.plain())
                .member("text", reason.text)
                .end_object();
        out.end_array().end_object();
    }
    out.end_array().member("theirs", result.theirs.plain()).member("ours", result.ours.plain());
    out.member("difference", result.difference.plain()).key("causes").begin_object();
    for (std::size_t i = 0; i < result.causes.size(); ++i)
        if (result.causes[i] != prices::Amount()) out.member(kCauseNames[i], result.causes[i].plain());
    out.end_object().key("notes").begin_array();
    for (const auto& note : result.notes) out.value(note);
    return out.end_array().end_object().take();
}

}  // namespace tandem::ledger::reports
