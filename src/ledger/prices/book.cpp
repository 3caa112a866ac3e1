#include "ledger/prices/book.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/text.h"

namespace tandem::prices {

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

bool Window::holds(std::int64_t time_ms) const {
    const auto day = floor_div(time_ms, kDay);
    const auto minute = static_cast<int>((time_ms - day * kDay) / kMinute);
    const auto on = [&](std::int64_t which) {
        return (days >> ((which % 7 + 7 + 3) % 7) & 1U) != 0;
    };  // 1970-01-01 was a Thursday
    if (from < to) return on(day) && minute >= from && minute < to;
    return (on(day) && minute >= from) || (on(day - 1) && minute < to);
}

const Amount* Card::rate(Bucket bucket) const {
    const auto found = std::ranges::find(rates, bucket, &std::pair<Bucket, Amount>::first);
    return found == rates.end() ? nullptr : &found->second;
}

const Card* Entry::base() const {
    const auto found = std::ranges::find(cards, Condition{}, &Card::when);
    return found == cards.end() ? nullptr : &*found;
}

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

std::string date_text(std::int64_t time_ms) {
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(floor_div(time_ms, kDay)))};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

std::string time_text(std::int64_t time_ms) {
    const auto second = floor_div(time_ms, 1'000) - floor_div(time_ms, kDay) * 86'400;
    if (second == 0) return date_text(time_ms);
    return fmt::format("{}T{:02}:{:02}:{:02}Z", date_text(time_ms), second / 3'600, second / 60 % 60, second % 60);
}

void Book::add(Entry entry) {
    const auto index = entries_.size();
    const auto names = entry.match.names();
    for (const auto& name : names) by_name_[entry.provider + '\n' + name].push_back(index);
    by_provider_[entry.provider].push_back(index);
    entries_.push_back(std::move(entry));
}

std::vector<const Entry*> Book::find(std::string_view provider, const std::vector<std::string>& forms) const {
    std::vector<const Entry*> found;
    for (const auto& form : forms) {
        if (const auto by_name = by_name_.find(std::string(provider) + '\n' + form); by_name != by_name_.end()) {
            for (const auto index : by_name->second) found.push_back(&entries_[index]);
            return found;
        }
    }
    const auto all = by_provider_.find(std::string(provider));
    if (all == by_provider_.end()) return found;
    for (const auto& form : forms) {
        for (const auto index : all->second) {
            const auto& entry = entries_[index];
            // Entries of one model at different times stand under one name.
            if (!found.empty() ? entry.model == found[0]->model : entry.match.matches(form)) found.push_back(&entry);
        }
        if (!found.empty()) return found;
    }
    return found;
}

std::string Book::owner_of(const std::vector<std::string>& forms) const {
    for (const auto& form : forms)
        for (const auto& provider : providers_)
            if (provider.owns && provider.owns->matches(form)) return provider.id;
    return {};
}

std::vector<std::string> Book::owners() const {
    std::vector<std::string> ids;
    for (const auto& provider : providers_)
        if (provider.owns) ids.push_back(provider.id);
    return ids;
}

std::vector<std::string> Book::stand_ins(std::string_view provider) const {
    const auto found = std::ranges::find(providers_, provider, &Provider::id);
    return found == providers_.end() ? std::vector<std::string>() : found->stand_ins;
}

Result<> Book::read_provider(const json::Value& value) {
    Provider provider;
    provider.id = value["id"].text();
    if (value["owns"].exists()) {
        auto owns = Matcher::read(value["owns"]);
        if (!owns) return fail(owns.error());
        provider.owns = std::move(*owns);
    }
    for (const auto one : value["stand_ins"].children()) provider.stand_ins.emplace_back(one.text());
    providers_.push_back(std::move(provider));
    return {};
}

}  // namespace tandem::prices
