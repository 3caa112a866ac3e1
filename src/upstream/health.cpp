#include "upstream/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/log.h"
#include "base/text.h"

namespace tandem::upstream {

namespace {

// "1s", "6m0s", "1h2m3.5s", "250ms", or seconds.
std::optional<milliseconds> duration_of(std::string_view text) {
    double total = 0;
    bool any = false;
    std::string rest(trim(text));
    const char* at = rest.c_str();
    while (*at != '\0') {
        char* end = nullptr;
        const double number = std::strtod(at, &end);
        if (end == at || !(number >= 0)) return {};
        const std::string_view unit(end);
        if (unit.starts_with("ms")) {
            total += number;
            at = end + 2;
        } else if (unit.starts_with('s')) {
            total += number * 1e3;
            at = end + 1;
        } else if (unit.starts_with('m')) {
            total += number * 60e3;
            at = end + 1;
        } else if (unit.starts_with('h')) {
            total += number * 3600e3;
            at = end + 1;
        } else if (unit.empty() && !any) {
            total = number * 1e3;
            at = end;
        } else {
            return {};
        }
        any = true;
    }
    if (!any || !(total < 1e12)) return {};
    return milliseconds(std::llround(std::ceil(total)));
}

// "2026-11-24T21:00:00Z", "Tue, 24 Nov 2026 21:00:00 GMT"
std::optional<milliseconds> until_date(std::string_view text, WallTime now) {
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%a, %d %b %Y %H:%M:%S"}) {
        std::tm parts{};
        const std::string copy(trim(text));
        if (strptime(copy.c_str(), format, &parts) == nullptr) continue;
        const WallTime then{seconds(timegm(&parts))};
        return std::max(milliseconds(0), then - now);
    }
    return {};
}

}  // namespace

std::optional<milliseconds> rest_wanted(const net::Fields& headers, WallTime now) {
    std::optional<milliseconds> rest;
    auto longer = [&](std::optional<milliseconds> time) {
        if (time && (!rest || *time > *rest)) rest = time;
    };
    if (const auto ms = headers.get("retry-after-ms"); !ms.empty())
        if (const auto number = whole_number(trim(ms))) longer(milliseconds(*number));
    if (const auto after = headers.get("retry-after"); !after.empty()) {
        const auto time = duration_of(after);
        longer(time ? time : until_date(after, now));
    }
    for (const std::string_view what : {"requests", "tokens"}) {
        const auto left = trim(headers.get(fmt::format("x-ratelimit-remaining-{}", what)));
        if (left == "0") longer(duration_of(headers.get(fmt::format("x-ratelimit-reset-{}", what))));
    }
    for (const std::string_view what : {"requests", "tokens", "input-tokens", "output-tokens"}) {
        const auto left = trim(headers.get(fmt::format("anthropic-ratelimit-{}-remaining", what)));
        if (left == "0") longer(until_date(headers.get(fmt::format("anthropic-ratelimit-{}-reset", what)), now));
    }
    if (rest && *rest <= milliseconds(0)) rest.reset();
    return rest;
}

Health::Trial::Trial(Trial&& other) noexcept
    : health_(std::exchange(other.health_, nullptr)), provider_(std::move(other.provider_)), hurried_(other.hurried_) {}

Health::Trial& Health::Trial::operator=(Trial&& other) noexcept {
    if (this != &other) {
        if (health_ != nullptr) health_->ended(provider_, hurried_);
        health_ = std::exchange(other.health_, nullptr);
        provider_ = std::move(other.provider_);
        hurried_ = other.hurried_;
    }
    return *this;
}

Health::Trial::~Trial() {
    if (health_ != nullptr) health_->ended(provider_, hurried_);
}

std::optional<Health::Trial> Health::try_it(const std::string& provider, bool last_resort, bool hurried) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    if (found == entries_.end() || !found->second.open) return Trial();
    auto& entry = found->second;
    if (entry.tried || (hurried && entry.hurried) || (clock_.steady() < entry.until && !last_resort)) return {};
    (hurried ? entry.hurried : entry.tried) = true;
    return Trial(this, provider, hurried);
}

bool Health::may_be_tried(const std::string& provider) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    if (found == entries_.end()) return false;
    const auto& entry = found->second;
    if (!entry.key.empty()) return !entry.open;
    return entry.open && !entry.tried && limited(provider, entry).empty();
}

void Health::ended(const std::string& provider, bool hurried) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[provider];
    (hurried ? entry.hurried : entry.tried) = false;
}

void Health::succeeded(const std::string& provider) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[provider];
    ++entry.attempts;
    entry.failures = 0;
    entry.share *= 1 - kNewest;
    if (!std::exchange(entry.key, {}).empty()) entry.keys.assign(entry.keys.size(), {});
    if (!entry.open) return;
    log::Line(log::Level::info, "a breaker closed").add("provider", provider);
    entry.open = false;
    entry.pause = milliseconds(0);
    entry.share = 0;
    entry.attempts = 0;
    entry.why.clear();
}

void Health::refused_key(const std::string& provider, std::size_t key, std::size_t count, const std::string& why) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[provider];
    ++entry.attempts;
    entry.key = why;
    entry.keys.resize(std::max({entry.keys.size(), count, key + 1}));
    entry.keys[key] = std::max(entry.keys[key], clock_.steady() + kRefusedRest);
}

void Health::failed(const std::string& provider, const std::string& why) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[provider];
    ++entry.attempts;
    ++entry.failures;
    entry.share += kNewest * (1 - entry.share);
    entry.why = why;
    const bool outlier = entry.attempts >= kFewest && entry.share > kOutlier;
    if (!entry.open && entry.failures < kFailures && !outlier) return;
    // What was under way when it opened, or was tried out of turn, makes the pause no longer.
    if (entry.open && clock_.steady() < entry.until) return;
    if (!std::exchange(entry.open, true) && opened_) opened_(provider);
    entry.pause = std::min(kLongestPause, std::max(kFirstPause, entry.pause * 2));
    entry.until = clock_.steady() + entry.pause;
    log::Line(log::Level::warning, "a breaker opened")
        .add("provider", provider)
        .add("failures", entry.failures)
        .add("pause_ms", entry.pause.count());
}

std::string Health::limited(const std::string& provider, const Entry& entry) const {
    const auto now = clock_.steady();
    if (entry.keys.empty() || std::ranges::any_of(entry.keys, [&](SteadyTime until) { return until <= now; }))
        return {};
    if (!entry.key.empty()) return entry.key;
    const auto left = std::ranges::min(entry.keys) - now;
    return fmt::format("{} wants to be asked no more for {} s{}{}{}", provider,
                       std::chrono::ceil<seconds>(left).count(), entry.keys.size() > 1 ? ", with any of its keys" : "",
                       entry.limit.empty() ? "" : ": ", entry.limit);
}

std::string Health::unhealthy(const std::string& provider) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    if (found == entries_.end()) return {};
    const auto& entry = found->second;
    if (entry.open && entry.tried)
        return fmt::format("{} is being tried by another request, after it failed: {}", provider, entry.why);
    if (entry.open && clock_.steady() < entry.until)
        return fmt::format("{} failed {} and is left alone for {} s: {}", provider,
                           entry.failures >= kFailures ? fmt::format("{} times in a row", entry.failures)
                                                       : fmt::format("{:.0f} % of the time", entry.share * 100),
                           std::chrono::ceil<seconds>(entry.until - clock_.steady()).count(), entry.why);
    return limited(provider, entry);
}

// By its kind and name as well: one that its owner has corrected is another one, and is asked at once.
std::string Health::model_key(const config::Provider& provider, std::string_view name) {
    return fmt::format("{}\n{}\n{}", provider.id, provider.kind->name, name);
}

void Health::refused_model(const std::string& key, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (refused_models_.size() >= kMostRefused && !refused_models_.contains(key))
        refused_models_.erase(
            std::ranges::min_element(refused_models_, {}, [](const auto& one) { return one.second.until; }));
    refused_models_[key] = {why, clock_.steady() + kRefusedModelRest};
    any_refused_ = true;
}

void Health::model_answered(const std::string& key) {
    const std::lock_guard lock(mutex_);
    refused_models_.erase(key);
    any_refused_ = !refused_models_.empty();
}

std::string Health::unhealthy_model(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = refused_models_.find(key);
    return found == refused_models_.end() || found->second.until <= clock_.steady() ? std::string() : found->second.why;
}

std::string Health::refusal_of_model(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = refused_models_.find(key);
    return found == refused_models_.end() ? std::string() : found->second.why;
}

std::size_t Health::key_of(const std::string& provider, std::size_t count) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[provider];
    entry.keys.resize(std::max<std::size_t>(count, 1));
    const auto now = clock_.steady();
    for (std::size_t i = 0; i < entry.keys.size(); ++i) {
        const auto key = (entry.next_key + i) % entry.keys.size();
        if (entry.keys[key] > now) continue;
        entry.next_key = (key + 1) % entry.keys.size();
        return key;
    }
    return static_cast<std::size_t>(std::ranges::min_element(entry.keys) - entry.keys.begin());
}

void Health::rest(const std::string& provider, std::size_t key, milliseconds time, const std::string& why) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[provider];
    if (entry.keys.size() <= key) entry.keys.resize(key + 1);
    entry.limit = why;
    entry.keys[key] = std::max(entry.keys[key], clock_.steady() + std::min(time, kLongestRest));
}

bool Health::has_key(const std::string& provider) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(provider);
    return found == entries_.end() || limited(provider, found->second).empty();
}

Health::Status Health::status(const std::string& provider) const {
    const std::lock_guard lock(mutex_);
    Status status{.provider = provider, .state = "closed", .why = {}};
    const auto found = entries_.find(provider);
    if (found == entries_.end()) return status;
    const auto& entry = found->second;
    const auto now = clock_.steady();
    auto left = [&](SteadyTime until) { return until > now ? std::chrono::ceil<seconds>(until - now).count() : 0; };
    status.failure_share = entry.share;
    status.attempts = entry.attempts;
    status.keys = std::max<std::size_t>(1, entry.keys.size());
    status.keys_resting =
        static_cast<std::size_t>(std::ranges::count_if(entry.keys, [&](SteadyTime until) { return until > now; }));
    if (entry.open) {
        status.state = now < entry.until ? "open" : "half open";
        status.why = entry.why;
        status.seconds_left = left(entry.until);
    } else if (!entry.key.empty()) {
        status.state = "key refused";
        status.why = entry.key;
    } else if (auto why = limited(provider, entry); !why.empty()) {
        status.state = "limited";
        status.why = std::move(why);
        status.seconds_left = left(std::ranges::min(entry.keys));
    }
    return status;
}

}  // namespace tandem::upstream
