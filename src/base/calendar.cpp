#include "base/calendar.h"

#include <date/tz.h>
#include <fmt/format.h>

namespace tandem {

namespace {

// Null where this machine does not know it.
const date::time_zone* find_zone(std::string_view name) {
    // locate_zone() throws, and remembers links; a name with odd characters is none.
    try {
        return date::locate_zone(name);
    } catch (const std::runtime_error&) {
        return nullptr;
    }
}

// The first moment of a date.
std::int64_t begin_of(date::local_days day, const date::time_zone& zone) {
    const auto at = zone.to_sys(date::local_time<milliseconds>(day), date::choose::earliest);
    return at.time_since_epoch().count();
}

}  // namespace

bool is_time_zone(std::string_view name) {
    return find_zone(name) != nullptr;
}

std::vector<std::string> time_zones() {
    std::vector<std::string> names;
    for (const auto& zone : date::get_tzdb().zones) names.push_back(zone.name());
    return names;
}

Span span_of(Period period, WallTime at, std::string_view zone_name, Weekday first_of_week) {
    if (period == Period::total) return {};
    const date::sys_time<milliseconds> instant(at.time_since_epoch());
    const auto* zone = find_zone(zone_name);
    if (zone == nullptr) zone = date::locate_zone(kUtc);
    const auto local = zone->to_local(instant);
    if (period == Period::hour) {
        const auto into = local.time_since_epoch() - date::floor<std::chrono::hours>(local).time_since_epoch();
        const auto start = (instant - into).time_since_epoch().count();
        return {start, start + milliseconds(std::chrono::hours(1)).count()};
    }
    auto first = date::floor<date::days>(local);
    auto next = first + date::days(1);
    if (period == Period::week) {
        first -= date::weekday(first) - date::weekday(static_cast<unsigned>(first_of_week));
        next = first + date::days(7);
    } else if (period == Period::month) {
        const date::year_month_day today(first);
        first = date::local_days(today.year() / today.month() / 1);
        next = date::local_days(today.year() / today.month() / 1 + date::months(1));
    }
    return {begin_of(first, *zone), begin_of(next, *zone)};
}

LocalMinute local_minute(std::int64_t unix_ms, std::string_view zone_name) {
    const auto* zone = find_zone(zone_name);
    if (zone == nullptr) zone = date::locate_zone(kUtc);
    const auto local = zone->to_local(date::sys_time<milliseconds>(milliseconds(unix_ms)));
    const auto day = date::floor<date::days>(local);
    return {static_cast<int>(date::floor<std::chrono::minutes>(local - day).count()),
            static_cast<Weekday>(date::weekday(day).c_encoding())};
}

std::string minute_text(std::int64_t unix_ms, std::string_view zone_name) {
    const date::sys_time<std::chrono::minutes> at(
        date::floor<std::chrono::minutes>(date::sys_time<milliseconds>(milliseconds(unix_ms))));
    const auto* zone = find_zone(zone_name);
    if (zone == nullptr) zone = date::locate_zone(kUtc);
    return date::format("%Y-%m-%d %H:%M %Z", date::make_zoned(zone, at));
}

}  // namespace tandem
