#include "ledger/prices/tariff.h"

#include <algorithm>

#include "ledger/prices/books.h"

namespace tandem::prices {

Tariff Tariff::keep(Kept kept) {
    Tariff tariff;
    tariff.kept_ = std::make_shared<const Kept>(std::move(kept));
    return tariff;
}

Tariff Tariff::unknown(std::string why) {
    return keep({PriceSource::unknown, {}, std::move(why)});
}

Tariff Tariff::of_book(const std::vector<const Entry*>& entries, std::string note) {
    Kept kept{PriceSource::book, {}, std::move(note)};
    for (const auto* entry : entries) kept.entries.push_back(*entry);
    return keep(std::move(kept));
}

Tariff Tariff::flat(PriceSource source, const Rates& rates) {
    Entry entry;
    entry.provider = name_of(source);
    entry.model = "price";
    entry.match = Matcher::equals(entry.model);
    auto& card = entry.cards.emplace_back();
    card.rates = {{Bucket::input, rates.input}, {Bucket::output, rates.output}};
    for (const auto bucket : {Bucket::cache_read, Bucket::cached_audio, Bucket::cached_image, Bucket::cached_video})
        card.rates.emplace_back(bucket, rates.cache_read);
    card.rates.emplace_back(Bucket::cache_write, rates.cache_write);
    // An owner has no word for how long a cache is kept: where the book has none either, cost_of() says so.
    if (source != PriceSource::owner)
        for (const auto bucket : {Bucket::cache_write_1h, Bucket::cache_write_12h})
            card.rates.emplace_back(bucket, rates.cache_write);
    return keep({source, {std::move(entry)}, {}});
}

const Entry* Tariff::at(std::int64_t time_ms) const {
    if (!kept_ || kept_->entries.empty()) return nullptr;
    if (kept_->entries.size() == 1) return &kept_->entries.front();
    std::vector<const Entry*> all;
    for (const auto& entry : kept_->entries) all.push_back(&entry);
    std::vector<std::string> warnings;
    return entry_at(all, time_ms, warnings);
}

Amount Tariff::cost(const Buckets& buckets, const Asked& asked) const {
    const auto* entry = at(asked.time_ms);
    if (entry == nullptr) return {};
    return cost_of(buckets, *entry, {asked.time_ms, asked.service_tier, asked.region}).amount.value_or(Amount{});
}

std::vector<std::string> Tariff::tiers_of(const Entry& entry, const Asked& asked) {
    std::vector<std::string> tiers = {{}};
    const auto add = [&](const std::string& tier) {
        if (std::ranges::find(tiers, tier) == tiers.end()) tiers.push_back(tier);
    };
    add(asked.service_tier);
    const auto named = [&](const Card& card) { return card.when.service == asked.service_tier; };
    const auto is_common = [](std::string_view tier) { return tier.empty() || tier == "flex" || tier == "batch"; };
    const bool is_strange = !is_common(asked.service_tier) && std::ranges::none_of(entry.cards, named);
    // At Perplexity the tier is how much of the web was read, which the model settles.
    if (!asked.any_tier && !is_strange && entry.provider != "perplexity") return tiers;
    // At Anthropic `fast` is no tier that its provider chooses: a request asks for it in a field of its own.
    for (const auto& card : entry.cards)
        if (card.when.service != "batch" && (entry.provider != "anthropic" || card.when.service != "fast"))
            add(card.when.service);
    return tiers;
}

Amount Tariff::at_most(Tokens prompt, Tokens answer, const Asked& asked) const {
    const auto* entry = at(asked.time_ms);
    if (entry == nullptr) return {};
    Amount most;
    for (const auto& tier : tiers_of(*entry, asked))
        for (const auto& region : {std::string(), asked.region}) {
            most = std::max(most, most_cost_of(prompt.count, answer.count, *entry, {asked.time_ms, tier, region},
                                               asked.keeps_cache_an_hour, asked.calls));
            if (asked.region.empty()) break;
        }
    return most;
}

bool Tariff::writes_cost_more(std::int64_t time_ms) const {
    const auto* entry = at(time_ms);
    const auto* base = entry == nullptr ? nullptr : entry->base();
    if (base == nullptr) return false;
    const auto *write = base->rate(Bucket::cache_write), *input = base->rate(Bucket::input);
    return write != nullptr && (input == nullptr || *write > *input);
}

void Tariff::write(json::Writer& out) const {
    out.begin_object().member("source", name_of(source()));
    if (kept_ && !kept_->note.empty()) out.member("note", kept_->note);
    if (kept_ && !kept_->entries.empty()) {
        out.key("entries").begin_array();
        for (const auto& entry : kept_->entries) write_entry(out, entry);
        out.end_array();
    }
    out.end_object();
}

Result<Tariff> Tariff::read(const json::Value& value) {
    const auto name = std::ranges::find(kPriceSourceNames, value["source"].text());
    if (name == kPriceSourceNames.end()) return fail(ErrorCode::invalid, "a price has no source that is known");
    Kept kept{static_cast<PriceSource>(name - kPriceSourceNames.begin()), {}, std::string(value["note"].text())};
    if (kept.source == PriceSource::free) return Tariff{};
    for (const auto one : value["entries"].children()) {
        auto entry = read_entry(one);
        if (!entry) return fail(entry.error());
        kept.entries.push_back(std::move(*entry));
    }
    return keep(std::move(kept));
}

}  // namespace tandem::prices
