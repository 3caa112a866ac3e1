#include "ledger/reports/question.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "base/time_text.h"
#include "ledger/reports/rollup.h"

namespace tandem::ledger::reports {

Result<std::vector<Dimension>> dimensions_from(std::string_view text) {
    std::vector<Dimension> by;
    if (trim(text).empty()) return std::vector{Dimension::model};
    while (true) {
        const auto end = std::min(text.find(','), text.size());
        const auto word = trim(text.substr(0, end));
        const auto* const found = std::ranges::find(kDimensionNames, word);
        if (found == kDimensionNames.end()) {
            const std::vector<std::string> names(kDimensionNames.begin(), kDimensionNames.end());
            return fail(ErrorCode::invalid,
                        fmt::format("by: there is no '{}'; there are: {}", printable(word, 40), join(names, ", ")),
                        "by");
        }
        const auto dimension = static_cast<Dimension>(found - kDimensionNames.begin());
        if (std::ranges::find(by, dimension) != by.end())
            return fail(ErrorCode::invalid, fmt::format("by: '{}' stands there twice", word), "by");
        by.push_back(dimension);
        if (end == text.size()) break;
        text.remove_prefix(end + 1);
    }
    if (by.size() > 2)
        return fail(ErrorCode::invalid, "by: a report is by one or two of them, such as model,day", "by");
    return by;
}

Result<std::int64_t> time_from(std::string_view text, std::int64_t now_ms, std::string_view field) {
    if (const auto span = span_from(text)) return now_ms - span->count();
    if (const auto time = tandem::time_from(text)) return *time;
    return fail(ErrorCode::invalid,
                fmt::format("{}: expected 30m, 24h, 7d, 2026-11-01 or 2026-11-01T12:00:00Z, got '{}'", field,
                            printable(text, 40)),
                std::string(field));
}

Result<Question> question_from(std::string_view by, std::string_view since, std::string_view until,
                               std::int64_t now_ms) {
    Question question;
    auto dimensions = dimensions_from(by);
    if (!dimensions) return fail(dimensions.error());
    question.by = std::move(*dimensions);
    if (!since.empty()) {
        const auto time = time_from(since, now_ms, "since");
        if (!time) return fail(time.error());
        question.since = std::max<std::int64_t>(0, *time);
    }
    if (!until.empty()) {
        const auto time = time_from(until, now_ms, "until");
        if (!time) return fail(time.error());
        question.until = *time;
    }
    if (question.until <= question.since)
        return fail(ErrorCode::invalid,
                    "until: the time ends before it begins; 'until' is the first moment that is no longer in it",
                    "until");
    return question;
}

namespace {

std::chrono::year_month_day date_of(std::int64_t day) {
    return std::chrono::sys_days(std::chrono::days(day));
}

}  // namespace

std::string day_text(std::int64_t day) {
    return date_text(day * kDayMs);
}

std::string week_text(std::int64_t day) {
    // 1970-01-01 was a Thursday; a week belongs to the year that its Thursday lies in.
    const auto thursday = day - (day + 3) % 7 + 3;
    const auto year = date_of(thursday).year();
    const auto first = std::chrono::sys_days(year / 1 / 1).time_since_epoch().count();
    return fmt::format("{:04}-W{:02}", static_cast<int>(year), (thursday - first) / 7 + 1);
}

std::string month_text(std::int64_t day) {
    const auto date = date_of(day);
    return fmt::format("{:04}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()));
}

}  // namespace tandem::ledger::reports
