// A report as JSON.
#include "base/json.h"

#include "base/text.h"
#include "ledger/reports/render.h"

namespace tandem::ledger::reports {

namespace {

void write_figures(json::Writer& out, const Figures& f) {
    const auto& usage = f.sums.usage;
    out.member("attempts", f.sums.attempts).member("answered", f.answered).member("input", usage.input.count);
    out.member("cached_input", usage.cached_input.count).member("cache_write", usage.cache_write.count);
    out.member("output", usage.output.count).member("reasoning", usage.reasoning.count);
    out.member("estimated", f.estimated > 0).member("estimated_attempts", f.estimated);
    out.member("cost_micros", f.sums.cost.micros()).key("cost_per_answer_micros");
    if (const auto each = f.cost_per_answer())
        out.value(each->micros());
    else
        out.null();
    out.key("sources").begin_object();
    for (std::size_t i = 0; i < f.sources.size(); ++i)
        if (const auto source = static_cast<prices::PriceSource>(i);
            source != prices::PriceSource::free && f.sources[i] != Money{})
            out.member(prices::name_of(source), f.sources[i].micros());
    out.end_object().member("unpriced", f.unpriced).member("total_ms", f.sums.total_ms);
}

}  // namespace

std::string as_json(const Report& report, std::string_view currency) {
    const auto& by = report.question.by;
    std::vector<std::string> names;
    for (const auto dimension : by) names.emplace_back(name_of(dimension));
    json::Writer out;
    out.begin_object().member("currency", currency).member("by", join(names, ","));
    out.member("since", report.question.since).key("until");
    if (report.question.has_until())
        out.value(report.question.until);
    else
        out.null();
    out.key("rows").begin_array();
    for (const auto& line : report.lines) {
        out.begin_object().member("group", line.groups[0]).key("groups").begin_object();
        for (std::size_t d = 0; d < by.size(); ++d) out.member(names[d], line.groups[d]);
        out.end_object();
        write_figures(out, line.figures);
        out.end_object();
    }
    out.end_array().key("total").begin_object();
    write_figures(out, report.total);
    out.end_object().member("total_micros", report.total.sums.cost.micros()).member("unpriced", report.total.unpriced);
    out.key("corrections").begin_array();
    for (const auto& c : report.corrections)
        out.begin_object()
            .member("day", day_text(c.day))
            .member("corrected", c.corrected)
            .member("attempts", c.attempts)
            .member("before_micros", c.before.micros())
            .member("after_micros", c.after.micros())
            .end_object();
    out.end_array().key("notes").begin_array();
    for (const auto& note : report.notes) out.value(note);
    return out.end_array().end_object().take();
}

}  // namespace tandem::ledger::reports
