#include "ledger/prices/book.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace tandem::prices {

namespace {

constexpr std::int64_t kMinute = 60'000, kDay = 86'400'000;

}  // namespace

bool Window::holds(std::int64_t time_ms) const {
    const std::int64_t day = std::chrono::floor<std::chrono::days>(std::chrono::milliseconds(time_ms)).count();
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
