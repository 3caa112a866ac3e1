#include "base/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tandem {

namespace {

constexpr std::int64_t kMinute = 60'000, kDay = 86'400'000;

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b < 0 ? 1 : 0);
}

std::optional<int> two_digits(std::string_view text) {
    const auto value = text.size() == 2 ? whole_number(text) : std::nullopt;
    return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

// "+02:00", "-0530", "Z" or nothing, in minutes.
std::optional<int> offset_from(std::string_view text) {
    if (text.empty() || text == "Z" || text == "z" || text == "UTC" || text == "GMT") return 0;
    if (text[0] != '+' && text[0] != '-') return std::nullopt;
    const auto hours = two_digits(text.substr(1, 2));
    auto rest = text.size() > 3 ? text.substr(3) : std::string_view("00");
    if (rest.starts_with(':')) rest.remove_prefix(1);
    const auto minutes = two_digits(rest);
    if (!hours || !minutes) return std::nullopt;
    if (*hours > 15 || *minutes > 59) return std::nullopt;  // what any zone ever had is below 16 hours
    return (text[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
}

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// What else people write as RFC 3339 would say it: "Sun, 01 Jun 2025 12:00:00 GMT" (as in HTTP's Date), "2025/06/01",
// "20250601T120000Z".
std::string as_rfc3339(std::string_view text) {
    std::string out(text);
    if (const auto comma = text.find(", "); comma == 3 && text.size() >= 25) {
        const auto rest = text.substr(5);
        const auto month = std::ranges::find(kMonths, rest.substr(3, 3));
        if (month == kMonths.end()) return out;
        const auto zone = rest.size() > 21 ? rest.substr(21) : std::string_view();
        return fmt::format("{}-{:02}-{}T{}{}", rest.substr(7, 4), month - kMonths.begin() + 1, rest.substr(0, 2),
                           rest.substr(12, 8), zone == "GMT" || zone == "UT" ? "Z" : zone);
    }
    if (text.size() >= 10 && text[4] == '/' && text[7] == '/') out[4] = out[7] = '-';
    if (text.size() >= 15 && (text[8] == 'T' || text[8] == 't') && whole_number(text.substr(0, 8)))
        out = fmt::format("{}-{}-{}T{}:{}:{}{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2),
                          text.substr(9, 2), text.substr(11, 2), text.substr(13, 2), text.substr(15));
    return out;
}

}  // namespace

std::optional<std::int64_t> time_from(std::string_view text) {
    const auto written = as_rfc3339(trim(text));
    text = written;
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = whole_number(text.substr(0, 4)), month = whole_number(text.substr(5, 2)),
               day = whole_number(text.substr(8, 2));
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                           std::chrono::month(static_cast<unsigned>(*month)),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    std::int64_t ms = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
    text.remove_prefix(10);
    if (text.empty()) return ms;
    if (text[0] != 'T' && text[0] != 't' && text[0] != ' ') return std::nullopt;
    if (text.size() < 6 || text[3] != ':') return std::nullopt;
    const auto hour = two_digits(text.substr(1, 2)), minute = two_digits(text.substr(4, 2));
    if (!hour || !minute || *hour > 24 || *minute > 59) return std::nullopt;
    ms += *hour * 60 * kMinute + *minute * kMinute;
    text.remove_prefix(6);
    if (text.starts_with(':')) {
        const auto second = text.size() >= 3 ? two_digits(text.substr(1, 2)) : std::nullopt;
        if (!second || *second > 60) return std::nullopt;
        ms += *second * 1'000;
        text.remove_prefix(3);
    }
    if (text.starts_with('.')) {  // of fractions, milliseconds count
        text.remove_prefix(1);
        for (int scale = 100; !text.empty() && text[0] >= '0' && text[0] <= '9'; scale /= 10, text.remove_prefix(1))
            ms += (text[0] - '0') * scale;
    }
    const auto offset = offset_from(trim(text));
    if (!offset) return std::nullopt;
    return ms - *offset * kMinute;
}

std::string date_text(std::int64_t unix_ms) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(floor_div(unix_ms, kDay)))};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

std::string time_text(std::int64_t unix_ms) {
    const auto second = floor_div(unix_ms, 1'000) - floor_div(unix_ms, kDay) * 86'400;
    if (second == 0) return date_text(unix_ms);
    return fmt::format("{}T{:02}:{:02}:{:02}Z", date_text(unix_ms), second / 3'600, second / 60 % 60, second % 60);
}

std::optional<milliseconds> span_from(std::string_view text) {
    if (text.empty()) return {};
    const auto count = whole_number(text.substr(0, text.size() - 1));
    if (!count || *count < 0 || *count >= 1'000'000) return {};
    const auto unit = text.back();
    if (unit == 'm') return milliseconds(*count * kMinute);
    if (unit == 'h') return milliseconds(*count * 60 * kMinute);
    if (unit == 'd') return milliseconds(*count * kDay);
    if (unit == 'w') return milliseconds(*count * 7 * kDay);
    return {};
}

}  // namespace tandem
