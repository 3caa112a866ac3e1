#include "ledger/prices/cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace tandem::prices {

namespace {

bool holds(const Condition& when, std::int64_t prompt, const Circumstances& now) {
    if (!when.service.empty() && when.service != now.service_tier) return false;
    if (!when.region.empty() && when.region != now.region) return false;
    if (when.over && prompt <= *when.over) return false;
    if (when.from && prompt < *when.from) return false;
    return when.windows.empty() ||
           std::ranges::any_of(when.windows, [&](const Window& one) { return one.holds(now.time_ms); });
}

// The most particular card first.
std::vector<const Card*> cards_for(const Entry& entry, std::int64_t prompt, const Circumstances& now) {
    std::vector<const Card*> cards;
    for (const auto& card : entry.cards)
        if (holds(card.when, prompt, now)) cards.push_back(&card);
    const auto rank = [](const Card* card) {
        const auto& when = card->when;
        return std::tuple(!when.service.empty(), std::max(when.over.value_or(-1) + 1, when.from.value_or(0)),
                          !when.region.empty(), !when.windows.empty());
    };
    std::ranges::sort(cards, std::greater(), rank);
    return cards;
}

std::string name_of(const Condition& when) {
    std::string name = when.service.empty() ? "standard" : when.service;
    if (when.over) name += fmt::format(" over {}", *when.over);
    if (when.from) name += fmt::format(" from {}", *when.from);
    if (!when.region.empty()) name += " in " + when.region;
    return name;
}

void warn_of_what_no_card_has(const std::vector<const Card*>& cards, const Circumstances& now, Cost& cost) {
    const auto& best = cards.front()->when;
    if (!now.service_tier.empty() && best.service.empty())
        cost.warnings.push_back(
            fmt::format("the book has no rates of the tier '{}' for this model: standard rates are taken",
                        printable(now.service_tier, 40)));
    if (!now.region.empty() && best.region.empty())
        cost.warnings.push_back(
            fmt::format("the book has no rates of the region '{}' for this model{}: others are taken",
                        printable(now.region, 40), best.service.empty() ? "" : " and tier"));
    const bool by_length =
        std::ranges::any_of(cards, [](const Card* card) { return card->when.over || card->when.from; });
    if (by_length && !best.over && !best.from)
        cost.warnings.push_back(fmt::format(
            "the book has no rates of the tier '{}' for a prompt of this length: those of a shorter one are taken",
            best.service));
}

struct Found {
    const Amount* rate = nullptr;
    std::string warning;
};

// The rate of `bucket`, or of what it is priced as. A rate in a card behind the first that only repeats its parent's
// says nothing of its own.
Found own_rate(Bucket bucket, const std::vector<const Card*>& cards) {
    for (std::optional<Bucket> one = bucket; one; one = priced_as(*one)) {
        for (const auto* card : cards) {
            const auto* rate = card->rate(*one);
            if (rate == nullptr) continue;
            if (card == cards.front() || !is_tokens(*one)) return {rate, {}};
            const auto parent = priced_as(*one);
            const auto* parents = parent ? card->rate(*parent) : nullptr;
            if (parents != nullptr && *parents == *rate) continue;
            return {rate, fmt::format("the book has no rate '{}' for {}: that of {} is taken", prices::name_of(*one),
                                      name_of(cards.front()->when), name_of(card->when))};
        }
    }
    return {};
}

// Of the caches: a rate that the book does not have is taken from the nearest that it has, and said.
Found rate_of(Bucket bucket, const std::vector<const Card*>& cards) {
    if (auto found = own_rate(bucket, cards); found.rate != nullptr) return found;
    std::vector<Bucket> others;
    if (bucket == Bucket::cache_write_12h) others = {Bucket::cache_write_1h, Bucket::cache_write, Bucket::input};
    if (bucket == Bucket::cache_write_1h) others = {Bucket::cache_write, Bucket::input};
    if (bucket == Bucket::cache_write || bucket == Bucket::cache_read) others = {Bucket::input};
    if (bucket == Bucket::cached_audio) others = {Bucket::audio_input};
    if (bucket == Bucket::cached_image) others = {Bucket::image_input};
    if (bucket == Bucket::cached_video) others = {Bucket::video_input};
    for (const auto other : others)
        if (auto found = own_rate(other, cards); found.rate != nullptr)
            return {found.rate, fmt::format("the book has no rate '{}' for this model: that of '{}' is taken",
                                            prices::name_of(bucket), prices::name_of(other))};
    return {};
}

// What is counted in `buckets` as the entry bills it.
std::int64_t billed(Bucket bucket, const Buckets& buckets, const Entry& entry, const std::vector<const Card*>& cards) {
    const auto count = buckets[bucket];
    // What has a fee for each request has it without being counted.
    if (bucket == Bucket::requests && own_rate(bucket, cards).rate != nullptr) return std::max<std::int64_t>(count, 1);
    if (bucket == Bucket::web_search && entry.search_once) return std::min<std::int64_t>(count, 1);
    if (bucket == Bucket::seconds && count > 0) return std::max(count, entry.least_seconds * 1'000);
    return count;
}

// Whether tokens are not what this is billed by: there is no rate for any, and there is one for something else that was
// used, such as the seconds of a sound or the pages of a document.
bool is_by_the_piece(const Buckets& buckets, const std::vector<const Card*>& cards) {
    bool other = false;
    for (const auto* card : cards)
        for (const auto& [bucket, rate] : card->rates) {
            if (is_tokens(bucket)) return false;
            other = other || buckets[bucket] > 0;
        }
    return other;
}

void warn(Cost& cost, std::string warning) {
    if (!warning.empty() && std::ranges::find(cost.warnings, warning) == cost.warnings.end())
        cost.warnings.push_back(std::move(warning));
}

void add_line(Cost& cost, Bucket bucket, std::int64_t count, Found found, const Entry& entry) {
    warn(cost, std::move(found.warning));
    if (const auto quota = entry.free_quota.find(std::string(prices::name_of(bucket))); quota != entry.free_quota.end())
        warn(cost, fmt::format("{}: {} are free, which one response cannot tell: counted in full", quota->first,
                               quota->second));
    cost.lines.push_back({bucket, count, *found.rate, found.rate->times(count, units_of_rate(bucket))});
}

}  // namespace

Cost cost_of(const Buckets& buckets, const Entry& entry, const Circumstances& circumstances) {
    Cost cost;
    const auto cards = cards_for(entry, buckets.prompt(), circumstances);
    if (cards.empty()) {
        cost.warnings.emplace_back("the book's entry has no card that holds: the price is not known");
        return cost;
    }
    warn_of_what_no_card_has(cards, circumstances, cost);
    const bool by_the_piece = is_by_the_piece(buckets, cards);
    bool known = true;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        const auto bucket = static_cast<Bucket>(i);
        const auto count = billed(bucket, buckets, entry, cards);
        if (count == 0 || (by_the_piece && is_tokens(bucket))) continue;
        if (auto found = rate_of(bucket, cards); found.rate != nullptr) {
            add_line(cost, bucket, count, std::move(found), entry);
            continue;
        }
        cost.incomplete = true;
        known = known && !is_tokens(bucket);
        warn(cost, fmt::format("the book has no rate '{}' for this model: {} not in the cost", prices::name_of(bucket),
                               count));
    }
    // What was used is all in things without a rate: nothing of the price is known.
    if (!known || (cost.lines.empty() && cost.incomplete)) return cost;
    cost.amount = Amount();
    for (const auto& line : cost.lines) *cost.amount += line.cost;
    return cost;
}

namespace {

Amount dearest(std::initializer_list<Bucket> buckets, std::int64_t count, const std::vector<const Card*>& cards) {
    Amount most;
    for (const auto bucket : buckets)
        if (const auto* rate = own_rate(bucket, cards).rate; rate != nullptr)
            most = std::max(most, rate->times(count, units_of_rate(bucket)));
    return most;
}

}  // namespace

Amount most_cost_of(std::int64_t prompt, std::int64_t answer, const Entry& entry, const Circumstances& circumstances,
                    bool an_hour, int calls) {
    using enum Bucket;
    prompt = std::clamp<std::int64_t>(prompt, 0, kMostCount);
    answer = std::clamp<std::int64_t>(answer, 0, kMostCount);
    Amount most;
    for (const auto length : {prompt, prompt + prompt / 4}) {
        const auto cards = cards_for(entry, length, circumstances);
        if (cards.empty()) continue;
        auto sum = dearest({input, cache_read, cache_write}, prompt, cards);
        if (an_hour) sum = std::max(sum, dearest({cache_write_1h, cache_write_12h}, prompt, cards));
        sum += dearest({output, reasoning}, answer, cards);
        sum += dearest({requests}, 1, cards);
        sum += dearest(
            {web_search, web_search_preview, search_sources, code_execution, file_search, maps_grounding, x_search},
            std::clamp<std::int64_t>(calls, 0, kMostCount), cards);
        most = std::max(most, sum);
        const bool by_length =
            std::ranges::any_of(entry.cards, [](const Card& card) { return card.when.over || card.when.from; });
        if (!by_length) break;
    }
    return most;
}

}  // namespace tandem::prices
