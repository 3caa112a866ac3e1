// Spans of the civil calendar in a time zone of the IANA database, with its changes of the clock.
//
// The zones are those of the machine (package tzdata), read once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/world.h"

namespace tandem {

enum class Period { hour, day, week, month, total };
inline constexpr std::array<std::string_view, 5> kPeriodNames = {"hour", "day", "week", "month", "total"};

enum class Weekday { sunday, monday, tuesday, wednesday, thursday, friday, saturday };
inline constexpr std::array<std::string_view, 7> kWeekdayNames = {"sunday",   "monday", "tuesday", "wednesday",
                                                                  "thursday", "friday", "saturday"};

inline constexpr std::string_view kUtc = "UTC";

// Whether this machine knows the zone: "Europe/Berlin", "UTC".
bool is_time_zone(std::string_view name);
std::vector<std::string> time_zones();

// Milliseconds of Unix time, from `start` to before `end`.
struct Span {
    std::int64_t start = 0;
    std::int64_t end = 0;  // 0: never
    bool operator==(const Span&) const = default;
};

// The period that `at` lies in. Days, weeks and months begin at the zone's midnight, or, where the clock leaps over
// that, at the first moment of the date; a day of 23 or 25 hours is one day. An hour has sixty minutes.
// Precondition: is_time_zone(zone).
Span span_of(Period period, WallTime at, std::string_view zone = kUtc, Weekday first_of_week = Weekday::monday);

// What the zone's clock shows: the minute of the day, and its weekday.
struct LocalMinute {
    int minute = 0;  // 0 to 1439
    Weekday day = Weekday::sunday;
};
LocalMinute local_minute(std::int64_t unix_ms, std::string_view zone = kUtc);

// "2026-11-26 00:00 CET", as the zone's clock shows it.
std::string minute_text(std::int64_t unix_ms, std::string_view zone = kUtc);

}  // namespace tandem
