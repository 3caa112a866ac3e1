// What a Section reads by type: each method notes what is said of its key, or reads the key and says what is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "base/time_text.h"
#include "config/names.h"
#include "config/plain_value.h"
#include "config/reader.h"
#include "config/service.h"

namespace tandem::config {

namespace {

std::vector<std::string> if_any(std::string text) {
    return text.empty() ? std::vector<std::string>() : std::vector{std::move(text)};
}

constexpr milliseconds kShortest{1}, kLongest{30LL * 24 * 3'600'000};

// How what time_from() reads begins.
constexpr std::string_view kTime = "^([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}|[0-9]{8}[Tt]|[A-Z][a-z]{2}, )";

struct Unit {
    std::string_view name;
    std::int64_t factor;
};
// From the largest.
constexpr std::array<Unit, 5> kTimes = {{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 5> kSizes = {
    {{"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"", 1}}};

std::string in_units(std::int64_t count, std::span<const Unit> units) {
    for (const auto& unit : units)
        if (count >= unit.factor && count % unit.factor == 0)
            return fmt::format("{}{}", count / unit.factor, unit.name);
    return fmt::format("{}", count);
}

// A count with one of `units` behind it. Nullopt: it is none, or none that is from `low` to `high`.
std::optional<std::int64_t> counted(std::string_view text, std::span<const Unit> units, std::int64_t low,
                                    std::int64_t high) {
    const auto unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = whole_number(text.substr(0, unit_at));
    const auto unit = std::ranges::find(units, trim(text.substr(unit_at)), &Unit::name);
    if (!count || unit == units.end() || *count > high / unit->factor) return std::nullopt;
    const auto value = *count * unit->factor;
    return value < low ? std::nullopt : std::optional(value);
}

// "2.5" for 2'500'000 millionths.
std::string decimal_text(std::int64_t millionths) {
    std::string text = Money::from_micros(millionths).text();
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

// Money is written with two digits at least.
std::string money_text(Money money) {
    auto text = decimal_text(money.micros());
    const auto point = text.find('.');
    if (point != std::string::npos && point + 2 == text.size()) text += "0";
    return text;
}

double millionth(std::int64_t count) {
    return static_cast<double>(count) / 1e6;
}

}  // namespace

void Section::text(const std::string& key, std::string& target, const About& about) {
    if (describing()) return note(key, about, {.type = KeyType::text, .preset = if_any(target)});
    want(key, about);
    if (auto value = scalar(key)) target = std::move(*value);
}

void Section::name(const std::string& key, std::string& target, const About& about) {
    if (describing())
        return note(key, about, {.type = KeyType::text, .pattern = std::string(kNameOrNone), .or_number = true});
    text(key, target, about);
    if (!target.empty() && !is_name(target)) complain(key, "a name has at most 100 letters, digits and . _ : / -");
}

// A file's content, or that of a credential that systemd hands to the service (systemd.exec(5), LoadCredential=).
std::optional<std::string> Section::secret_of_file(const std::string& key, const std::string& value) {
    constexpr std::string_view kFile = "file:", kCredential = "credential:";
    std::filesystem::path path;
    if (value.starts_with(kFile)) {
        path = value.substr(kFile.size());
        if (path.is_relative() && !problems_.source.empty())
            path = std::filesystem::absolute(problems_.source).parent_path() / path;
    } else {
        const auto folder = environment_("CREDENTIALS_DIRECTORY");
        if (!folder) {
            lacks(key, "there are no systemd credentials here: $CREDENTIALS_DIRECTORY is not set");
            return std::nullopt;
        }
        path = std::filesystem::path(*folder) / value.substr(kCredential.size());
    }
    problems_.watched.push_back(path);
    constexpr std::size_t kLargest = 16 * 1024;
    auto text = read_regular(path, kLargest + 1);
    if (text && !text->empty() && text->size() <= kLargest) return std::move(*text);
    lacks(key, !text           ? text.error().message
               : text->empty() ? fmt::format("{} is empty", path.string())
                               : fmt::format("{} has more than {} bytes, which is no secret", path.string(), kLargest));
    return std::nullopt;
}

void Section::secret(const std::string& key, std::shared_ptr<const Secret>& target, const About& about) {
    if (describing()) return note(key, about, {.type = KeyType::secret});
    if (!find(key).IsDefined()) {
        if (about.is_required && problems_.source == kServiceConfig)
            complain(
                fmt::format("'{}' is missing; write {}: ${{NAME}} and set NAME in {}", key, key, kServiceEnvironment));
        else if (about.is_required)
            complain(fmt::format("'{}' is missing; write {}: ${{NAME}} and export NAME", key, key));
        return;
    }
    const auto written = find(key);
    if (auto value = scalar(key, true)) {
        if (value->starts_with("file:") || value->starts_with("credential:")) {
            auto read = secret_of_file(key, *value);
            if (!read) return;
            value = std::move(read);
        } else if (written.IsScalar() && written.Scalar() == *value && !value->starts_with("sha256:")) {
            problems_.bare_secrets.push_back(name(key));
        }
        *value = plain_value(*value);
        // Such a value ends in a header, where these would start another one.
        if (value->find_first_of("\r\n") != std::string::npos || value->empty())
            complain(key, "is empty or has a line break in it");
        else
            target = std::make_shared<const Secret>(std::move(*value));
    }
}

void Section::secrets(const std::string& key, std::vector<std::shared_ptr<const Secret>>& target, const About& about) {
    if (describing()) return note(key, about, {.type = KeyType::secret, .list = true, .one_too = false});
    const auto node = find(key);
    if (!node.IsDefined()) return;
    if (!node.IsSequence() || node.size() == 0) {
        complain(key, "expected a list such as [${FIRST_KEY}, ${SECOND_KEY}]");
        return;
    }
    auto values = elements(key, true);
    for (std::size_t i = 0; i < values.size(); ++i) {
        auto& value = values[i];
        if (value.starts_with("file:") || value.starts_with("credential:")) {
            auto read = secret_of_file(key, value);
            if (!read) continue;
            value = std::move(*read);
        } else if (values.size() == node.size() && node[i].IsScalar() && node[i].Scalar() == value) {
            problems_.bare_secrets.push_back(name(key));
        }
        value = plain_value(value);
        if (value.find_first_of("\r\n") != std::string::npos || value.empty())
            complain(key, "one of them is empty or has a line break in it");
        else
            target.push_back(std::make_shared<const Secret>(std::move(value)));
    }
}

void Section::flag(const std::string& key, bool& target, const About& about) {
    if (describing()) return note(key, about, {.type = KeyType::flag, .preset = {target ? "true" : "false"}});
    want(key, about);
    const auto value = scalar(key);
    if (!value) return;
    if (*value == "true")
        target = true;
    else if (*value == "false")
        target = false;
    else
        complain(key, fmt::format("expected true or false, got '{}'", printable(*value, 40)));
}

void Section::flag(const std::string& key, std::optional<bool>& target, const About& about) {
    if (describing()) return note(key, about, {.type = KeyType::flag, .nullable = true});
    if (has(key)) flag(key, target.emplace(false), about);
}

void Section::time(const std::string& key, std::int64_t& target, const About& about) {
    if (describing()) return note(key, about, {.type = KeyType::time, .pattern = std::string(kTime)});
    const auto value = scalar(key);
    if (!value) return;
    if (const auto time = time_from(*value))
        target = *time;
    else
        complain(key, fmt::format("expected a time such as 2027-01-31 or 2027-01-31T12:00:00Z, got '{}'",
                                  printable(*value, 40)));
}

void Section::duration(const std::string& key, milliseconds& target, const About& about) {
    duration(key, target, kShortest, kLongest, about);
}

void Section::duration(const std::string& key, milliseconds& target, milliseconds low, milliseconds high,
                       const About& about) {
    if (describing())
        return note(key, about,
                    {.type = KeyType::duration,
                     .low = static_cast<double>(low.count()),
                     .high = static_cast<double>(high.count()),
                     .preset = target < low ? std::vector<std::string>() : if_any(in_units(target.count(), kTimes))});
    want(key, about);
    const auto value = scalar(key);
    if (!value) return;
    if (const auto time = counted(*value, kTimes, low.count(), high.count()))
        target = milliseconds(*time);
    else if (low == kShortest && high == kLongest)
        complain(key, fmt::format("expected a duration such as 500ms, 10s, 5m, 1h or 7d (30 days at most), got '{}'",
                                  printable(*value, 40)));
    else
        complain(key, fmt::format("expected a time from {} to {}, got '{}'", in_units(low.count(), kTimes),
                                  in_units(high.count(), kTimes), printable(*value, 40)));
}

void Section::bytes(const std::string& key, std::size_t& target, std::size_t low, std::size_t high,
                    const About& about) {
    const auto least = static_cast<std::int64_t>(low), most = static_cast<std::int64_t>(high);
    if (describing())
        return note(key, about,
                    {.type = KeyType::size,
                     .low = static_cast<double>(low),
                     .high = static_cast<double>(high),
                     .preset = {in_units(static_cast<std::int64_t>(target), kSizes)}});
    const auto value = scalar(key);
    if (!value) return;
    if (const auto size = counted(*value, kSizes, least, most))
        target = static_cast<std::size_t>(*size);
    else
        complain(key, fmt::format("expected a size from {} to {} bytes, such as 16KiB, 32MiB or 1GiB, got '{}'", low,
                                  high, printable(*value, 40)));
}

std::optional<Money> Section::amount(const std::string& key, Money low, Money high) {
    const auto value = scalar(key);
    if (!value) return std::nullopt;
    const auto money = Money::parse(*value);
    if (money && *money >= low && *money <= high) return *money;
    if (!money)
        complain(key, money.error().message);
    else if (*money < low)
        complain(key, fmt::format("expected at least {}", money_text(low)));
    else
        complain(key, fmt::format("expected at most {}", money_text(high)));
    return std::nullopt;
}

void Section::money(const std::string& key, Money& target, const About& about) {
    money(key, target, Money{}, kMostMoney, about);
}

void Section::money(const std::string& key, Money& target, Money low, Money high, const About& about) {
    if (describing())
        return note(key, about,
                    {.type = KeyType::money,
                     .low = millionth(low.micros()),
                     .high = millionth(high.micros()),
                     .preset = about.is_required ? std::vector<std::string>() : if_any(money_text(target))});
    want(key, about);
    if (const auto money = amount(key, low, high)) target = *money;
}

void Section::money(const std::string& key, std::optional<Money>& target, Money high, const About& about) {
    if (describing())
        return note(key, about, {.type = KeyType::money, .nullable = true, .high = millionth(high.micros())});
    if (!has(key)) return;
    target.emplace();
    if (const auto money = amount(key, Money{}, high)) target = *money;
}

void Section::decimal(const std::string& key, std::int64_t& target, std::int64_t low, std::int64_t high,
                      const About& about) {
    if (describing())
        return note(key, about,
                    {.type = KeyType::number,
                     .low = millionth(low),
                     .high = millionth(high),
                     .preset = if_any(decimal_text(target))});
    const auto value = scalar(key);
    if (!value) return;
    const auto number = Money::parse(*value);
    if (!number || number->micros() < low || number->micros() > high)
        complain(key, fmt::format("expected a number from {} to {} with at most six digits after the point, got '{}'",
                                  decimal_text(low), decimal_text(high), printable(*value, 40)));
    else
        target = number->micros();
}

std::optional<double> Section::fraction(const std::string& key, double low, double high, bool or_zero) {
    const auto value = scalar(key);
    if (!value) return std::nullopt;
    double number = -1;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    const bool is_number = error == std::errc() && end == value->data() + value->size();
    if (is_number && ((number >= low && number <= high) || (or_zero && number == 0))) return number;
    complain(key, fmt::format("expected {}a number from {} to {}, got '{}'", or_zero ? "0 or " : "", low, high,
                              printable(*value, 40)));
    return std::nullopt;
}

void Section::share(const std::string& key, double& target, double low, double high, const About& about) {
    if (describing())
        return note(key, about,
                    {.type = KeyType::number, .low = low, .high = high, .preset = {fmt::format("{}", target)}});
    if (const auto number = fraction(key, low, high, about.or_zero)) target = *number;
}

void Section::share(const std::string& key, std::optional<double>& target, double low, double high,
                    const About& about) {
    if (describing()) return note(key, about, {.type = KeyType::number, .nullable = true, .low = low, .high = high});
    if (!has(key)) return;
    if (const auto number = fraction(key, low, high, about.or_zero)) target = *number;
}

void Section::label(const std::string& key, Label& target, const About& about) {
    choice(key, target, kLabelNames, about);
}

std::vector<std::string> Section::elements(const std::string& key, bool secret) {
    const auto node = find(key);
    std::vector<std::string> found;
    if (node.IsScalar()) {
        if (auto value = expand(key, node, secret)) found.push_back(std::move(*value));
        return found;
    }
    if (!node.IsSequence()) {
        complain(key, "expected a list such as [a, b]");
        return found;
    }
    for (const auto& element : node) {
        if (!element.IsScalar()) {
            problems_.add(element.Mark(), fmt::format("{}: expected plain text", name(key)));
        } else if (auto value = expand(key, element, secret)) {
            found.push_back(std::move(*value));
        }
    }
    return found;
}

void Section::texts(const std::string& key, std::vector<std::string>& target, const About& about, bool secret) {
    if (describing()) return note(key, about, {.type = KeyType::text, .list = true, .preset = target});
    want(key, about);
    if (find(key).IsDefined()) target = elements(key, secret);
}

std::optional<std::vector<std::size_t>> Section::choices(const std::string& key,
                                                         std::span<const std::string_view> names, const About& about) {
    const std::vector<std::string> valid(names.begin(), names.end());
    if (describing()) {
        note(key, about, {.type = KeyType::text, .list = true, .nullable = true, .choices = valid});
        return std::nullopt;
    }
    if (!has(key)) return std::nullopt;
    std::vector<std::size_t> places;
    for (const auto& element : elements(key, false)) {
        const auto at = std::ranges::find(valid, element);
        if (at == valid.end())
            complain(key, fmt::format("there is no '{}'{}", printable(element, 40), suggest(element, valid)));
        else
            places.push_back(static_cast<std::size_t>(at - valid.begin()));
    }
    return places;
}

std::optional<std::int64_t> Section::whole(const std::string& key, const Whole& bounds, const About& about) {
    const auto [before, low, high] = bounds;
    if (describing()) {
        note(key, about,
             {.type = KeyType::whole,
              .low = static_cast<double>(low),
              .high = static_cast<double>(high),
              .preset = before < low ? std::vector<std::string>() : if_any(fmt::format("{}", before))});
        return std::nullopt;
    }
    want(key, about);
    const auto value = scalar(key);
    if (!value) return std::nullopt;
    const auto number = whole_number(*value);
    if (!number || *number < low || *number > high) {
        complain(key, fmt::format("expected a whole number from {} to {}, got '{}'", low, high, printable(*value, 40)));
        return std::nullopt;
    }
    return *number;
}

std::optional<std::size_t> Section::chosen(const std::string& key, std::optional<std::size_t> before,
                                           std::span<const std::string_view> names, const About& about) {
    const std::vector<std::string> valid(names.begin(), names.end());
    if (describing()) {
        note(key, about,
             {.type = KeyType::text,
              .choices = valid,
              .preset = before && !about.is_required ? if_any(valid[*before]) : std::vector<std::string>()});
        return std::nullopt;
    }
    want(key, about);
    const auto value = scalar(key);
    if (!value) return std::nullopt;
    const auto at = std::ranges::find(valid, *value);
    if (at != valid.end()) return static_cast<std::size_t>(at - valid.begin());
    complain(key, fmt::format("expected one of {}, got '{}'{}", join(valid, ", "), printable(*value, 40),
                              nearest(*value, valid).empty() ? "" : suggest(*value, valid)));
    return std::nullopt;
}

}  // namespace tandem::config
