// The reports that the page is made of.
#include <algorithm>
#include <array>

#include "ledger/reports/render.h"

namespace tandem::ledger::reports {

namespace {

// So many columns can be told apart.
constexpr std::int64_t kMostDays = 62, kMostWeeks = 60;

Dimension period_for(const Days& days) {
    const auto count = days.last - days.first + 1;
    return count <= kMostDays ? Dimension::day : count <= kMostWeeks * 7 ? Dimension::week : Dimension::month;
}

std::vector<std::string> periods_of(const Days& days, Dimension period) {
    constexpr std::size_t kMost = 1'000;
    std::vector<std::string> list;
    for (auto day = days.first; day <= days.last && list.size() < kMost; ++day) {
        auto text = period == Dimension::day    ? day_text(day)
                    : period == Dimension::week ? week_text(day)
                                                : month_text(day);
        if (list.empty() || list.back() != text) list.push_back(std::move(text));
    }
    return list;
}

}  // namespace

Result<Page> make_page(store::Database& database, const Question& question, bool asked_by, std::int64_t now_ms,
                       Beyond beyond) {
    Page page;
    page.made = now_ms;
    page.beyond = std::move(beyond);
    const auto days = days_of(database, question);
    if (!days) return fail(days.error());
    auto period = Dimension::day;
    if (*days) {
        period = period_for(**days);
        page.periods = periods_of(**days, period);
    }
    page.period = name_of(period);
    using enum Dimension;
    struct Part {
        Report* report;
        std::vector<Dimension> by;
    };
    if (asked_by) page.asked.emplace();
    const std::array<Part, 6> parts = {{{&page.spend, {period, model}},
                                        {&page.zones, {period, zone}},
                                        {&page.work, {work, zone}},
                                        {&page.models, {model}},
                                        {&page.aliases, {alias}},
                                        {page.asked ? &*page.asked : nullptr, question.by}}};
    for (const auto& part : parts) {
        if (part.report == nullptr) continue;
        auto asked = question;
        asked.by = part.by;
        auto report = make_report(database, asked);
        if (!report) return fail(report.error());
        *part.report = std::move(*report);
    }
    return page;
}

namespace {

Result<Answer> answer_now(store::Database& database, const Asked& asked, const Question& question,
                          std::string_view currency, std::int64_t now_ms, Beyond beyond) {
    if (asked.format == "html") {
        const auto page = make_page(database, question, !asked.by.empty(), now_ms, std::move(beyond));
        if (!page) return fail(page.error());
        return Answer{"text/html; charset=utf-8", as_html(*page, currency)};
    }
    const auto report = make_report(database, question);
    if (!report) return fail(report.error());
    if (asked.format == "csv") return Answer{"text/csv; charset=utf-8; header=present", as_csv(*report, currency)};
    if (asked.format == "text") return Answer{"text/plain; charset=utf-8", as_text(*report, currency)};
    return Answer{"application/json", as_json(*report, currency)};
}

}  // namespace

Result<Answer> answer(store::Database& database, const Asked& asked, std::string_view currency, std::int64_t now_ms,
                      Beyond beyond) {
    const auto question = question_from(asked.by, asked.since, asked.until, now_ms);
    if (!question) return fail(question.error());
    if (std::ranges::find(kFormatNames, asked.format) == kFormatNames.end() && !asked.format.empty())
        return fail(ErrorCode::invalid, "format: expected json, csv, html or text", "format");
    // All that is read is of one moment, whatever is written meanwhile.
    if (auto ok = database.execute("BEGIN"); !ok) return fail(ok.error());
    auto made = answer_now(database, asked, *question, currency, now_ms, std::move(beyond));
    if (auto ok = database.execute("COMMIT"); !ok && made) return fail(ok.error());
    return made;
}

}  // namespace tandem::ledger::reports
