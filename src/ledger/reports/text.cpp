// A report for a terminal.
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time_text.h"
#include "base/utf8.h"
#include "ledger/reports/render.h"

namespace tandem::ledger::reports {

std::string_view words_of(prices::PriceSource source) {
    switch (source) {
        case prices::PriceSource::owner:
            return "by models.*.price";
        case prices::PriceSource::book:
            return "by the price book";
        case prices::PriceSource::estimate:
            return "estimated by policy.unknown_price";
        case prices::PriceSource::provider:
            return "as providers charged";
        default:
            return "";
    }
}

std::string_view shown(std::string_view group) {
    return group.empty() ? "-" : group;
}

namespace {

// "2026-11-26", or with the time of day where it is not midnight.
std::string moment_text(std::int64_t ms) {
    return tandem::time_text(ms);
}

std::string padded(std::string_view text, std::size_t width, bool right) {
    const std::string room(width - std::min(width, characters_in(text)), ' ');
    return right ? room + std::string(text) : std::string(text) + room;
}

std::vector<std::string> cells_of(const Line& line) {
    constexpr std::size_t kMostName = 48;
    const auto& f = line.figures;
    std::vector<std::string> cells;
    for (const auto& group : line.groups) cells.push_back(printable(shown(group), kMostName));
    for (const auto count : {f.sums.attempts, f.answered, f.sums.usage.input.count, f.sums.usage.cached_input.count,
                             f.sums.usage.cache_write.count, f.sums.usage.output.count})
        cells.push_back(std::to_string(count));
    const auto each = f.cost_per_answer();
    cells.push_back(each ? each->text() : "-");
    cells.push_back(f.sums.cost.text());
    std::string remark;
    if (f.estimated > 0) remark = "  (partly estimated)";
    if (f.unpriced > 0) remark += fmt::format("  AND {} OF UNKNOWN PRICE", f.unpriced);
    cells.push_back(std::move(remark));
    return cells;
}

}  // namespace

std::string span_text(const Question& question) {
    if (question.since == 0 && !question.has_until()) return "all time";
    const auto from = question.since == 0 ? std::string("the beginning") : moment_text(question.since);
    return question.has_until() ? fmt::format("{} until before {}", from, moment_text(question.until))
                                : fmt::format("since {}", from);
}

std::string as_text(const Report& report, std::string_view currency) {
    const auto names = report.question.by.size();
    std::vector<std::string> head;
    for (const auto dimension : report.question.by) head.emplace_back(name_of(dimension));
    for (const auto* name : {"attempts", "answered", "tokens in", "cached", "cache write", "tokens out", "an answer"})
        head.emplace_back(name);
    head.emplace_back(currency);
    head.emplace_back();
    std::vector<std::vector<std::string>> rows{head};
    for (const auto& line : report.lines) rows.push_back(cells_of(line));
    Line total{.groups = std::vector<std::string>(names), .figures = report.total};
    total.groups[0] = "total";
    auto last = cells_of(total);
    if (names > 1) last[1].clear();
    rows.push_back(std::move(last));

    std::vector<std::size_t> widths(head.size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters_in(row[i]));
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i + 1 < row.size(); ++i)
            line += (i > 0 ? "  " : "") + padded(row[i], widths[i], i >= names);
        out += line + row.back() + "\n";
    }
    out += fmt::format("\n{}; days are UTC, as providers bill\n", span_text(report.question));
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < report.total.sources.size(); ++i)
        if (const auto sum = report.total.sources[i]; sum != Money{})
            parts.push_back(
                fmt::format("{} {} {}", sum.text(), currency, words_of(static_cast<prices::PriceSource>(i))));
    if (!parts.empty()) out += join(parts, ", ") + "\n";
    for (const auto& c : report.corrections)
        out += fmt::format("{} was priced anew on {}: {} attempts, {} before, {} after\n", day_text(c.day),
                           day_text(day_of(c.corrected)), c.attempts, c.before.text(), c.after.text());
    for (const auto& note : report.notes) out += note + "\n";
    if (report.total.unpriced > 0)
        out += fmt::format(
            "\nBEWARE: {} attempts went to models of which no price is known, and are not in the sums: `tandem "
            "models` names them; set models.NAME.price or policy.unknown_price\n",
            report.total.unpriced);
    return out;
}

}  // namespace tandem::ledger::reports
