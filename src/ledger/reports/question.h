// What a report is asked for: by what, and of which time. The command and the API read the same words.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::ledger::reports {

enum class Dimension : std::uint8_t {
    model,
    provider,
    zone,
    key,
    team,
    owner,
    workflow,
    alias,
    label,
    work,
    source,
    tier,
    outcome,
    day,
    week,   // ISO 8601: "2026-W05", from Monday
    month,  // of the calendar
};
inline constexpr std::array<std::string_view, 16> kDimensionNames = {
    "model", "provider", "zone",   "key",  "team",    "owner", "workflow", "alias",
    "label", "work",     "source", "tier", "outcome", "day",   "week",     "month"};
inline std::string_view name_of(Dimension dimension) {
    return kDimensionNames[static_cast<std::size_t>(dimension)];
}
inline bool is_time(Dimension dimension) {
    return dimension >= Dimension::day;
}

struct Question {
    std::vector<Dimension> by;       // one or two different ones
    std::int64_t since = 0;          // milliseconds since 1970
    std::int64_t until = INT64_MAX;  // exclusive
    bool has_until() const { return until != INT64_MAX; }
};

// "model" or "model,day". Empty: model. Errors: invalid, with the names that there are.
Result<std::vector<Dimension>> dimensions_from(std::string_view text);

// "30m", "24h", "7d", "2w" before now, "2026-11-01" or RFC 3339, as milliseconds since 1970. `field` names it in the
// error. Errors: invalid.
Result<std::int64_t> time_from(std::string_view text, std::int64_t now_ms, std::string_view field);

// Each may be empty: by model, of all time. Errors: invalid.
Result<Question> question_from(std::string_view by, std::string_view since, std::string_view until,
                               std::int64_t now_ms);

// "2026-11-26", "2026-W48", "2026-11": of a day since 1970.
std::string day_text(std::int64_t day);
std::string week_text(std::int64_t day);
std::string month_text(std::int64_t day);

}  // namespace tandem::ledger::reports
