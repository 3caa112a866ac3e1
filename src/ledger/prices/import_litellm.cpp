// LiteLLM's model_prices_and_context_window.json: an object by model, with prices of one token, second or call under
// names such as "input_cost_per_token_above_200k_tokens_priority".
#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "ledger/prices/import.h"
#include "ledger/prices/reading.h"

namespace tandem::prices {

namespace {

struct Field {
    std::string_view name;
    Bucket bucket;
};
constexpr std::array<Field, 22> kFields = {{{"input_cost_per_token", Bucket::input},
                                            {"output_cost_per_token", Bucket::output},
                                            {"cache_read_input_token_cost", Bucket::cache_read},
                                            {"cache_creation_input_token_cost", Bucket::cache_write},
                                            {"cache_creation_input_token_cost_above_1hr", Bucket::cache_write_1h},
                                            {"cache_creation_input_token_cost_above_12hr", Bucket::cache_write_12h},
                                            {"input_cost_per_audio_token", Bucket::audio_input},
                                            {"cache_read_input_audio_token_cost", Bucket::cached_audio},
                                            {"input_cost_per_image_token", Bucket::image_input},
                                            {"cache_read_input_image_token_cost", Bucket::cached_image},
                                            {"input_cost_per_video_token", Bucket::video_input},
                                            {"output_cost_per_image_token", Bucket::image_output},
                                            {"output_cost_per_audio_token", Bucket::audio_output},
                                            {"output_cost_per_video_token", Bucket::video_output},
                                            {"output_cost_per_reasoning_token", Bucket::reasoning},
                                            {"citation_cost_per_token", Bucket::citation},
                                            {"input_cost_per_query", Bucket::search_units},
                                            {"input_cost_per_request", Bucket::requests},
                                            {"input_cost_per_second", Bucket::seconds},
                                            {"input_cost_per_character", Bucket::characters},
                                            {"ocr_cost_per_page", Bucket::pages},
                                            {"google_maps_grounding_cost_per_query", Bucket::maps_grounding}}};

// Of one unit, as the book writes it.
std::optional<Amount> rate_of(const json::Value& value, Bucket bucket) {
    if (!value.is(json::Kind::number)) return std::nullopt;
    const auto each = Amount::parse(value.text());
    constexpr auto kMostEach =
        Amount::from_pico(100'000LL * 1'000'000'000'000);  // what a million of are more than a book holds
    if (!each || *each < Amount{} || *each > kMostEach) return std::nullopt;
    return each->times(bucket == Bucket::seconds ? 3'600 : units_of_rate(bucket), 1);
}

// "..._above_200k_tokens_priority" is the tier and the length; what is left is the name.
Condition condition_in(std::string_view& name, std::string_view provider) {
    Condition when;
    for (const auto& [end, service] : {std::pair{"_batches", "batch"},
                                       {"_flex", "flex"},
                                       {"_priority", "priority"},
                                       {"_ultrafast", "ultrafast"},
                                       {"_balanced", "balanced"}})
        if (name.ends_with(end)) {
            when.service = service;
            name.remove_suffix(std::string_view(end).size());
            break;
        }
    constexpr std::string_view kTail = "k_tokens", kAbove = "_above_";
    const auto above = name.rfind(kAbove);
    if (!name.ends_with(kTail) || above == std::string_view::npos) return when;
    const auto start = above + kAbove.size();
    const auto thousands = whole_number(name.substr(start, name.size() - kTail.size() - start));
    if (!thousands || *thousands > 1'000'000) return when;
    (provider == "xai" ? when.from : when.over) = *thousands * 1'000;
    name = name.substr(0, above);
    return when;
}

Card& card_for(std::vector<Card>& cards, const Condition& when) {
    const auto found = std::ranges::find(cards, when, &Card::when);
    if (found != cards.end()) return *found;
    cards.push_back({when, {}});
    return cards.back();
}

// A model whose price goes by the prompt's length may have all its prices in a list of ranges: {"range": [from, to],
// "input_cost_per_token": ...}. The first range begins at 0. A list by the number of a search's results has no "range".
void add_tiers(std::vector<Card>& cards, const json::Value& tiers, std::string_view provider) {
    constexpr double kMostTokens = 1e12;
    for (const auto tier : tiers.children()) {
        const auto range = tier["range"];
        if (!range.is(json::Kind::array) || range.size() == 0) continue;
        const auto start = (*begin(range.children())).number();
        if (!start || *start < 0 || *start > kMostTokens) continue;
        Condition when;
        if (*start > 0) (provider == "xai" ? when.from : when.over) = static_cast<std::int64_t>(*start);
        for (const auto field : tier.children()) {
            const auto* const known = std::ranges::find(kFields, field.key(), &Field::name);
            if (known == kFields.end()) continue;
            const auto rate = rate_of(field, known->bucket);
            const bool tokens = known->bucket == Bucket::input || known->bucket == Bucket::output;
            if (!rate || (*rate == Amount{} && !tokens)) continue;
            auto& card = card_for(cards, when);
            if (card.rate(known->bucket) == nullptr) card.rates.emplace_back(known->bucket, *rate);
        }
    }
}

// "us" and "fast" are said as factors of all token prices; the book says the prices.
void multiply(std::vector<Card>& cards, const json::Value& factor, const Condition& when) {
    const auto by = factor.is(json::Kind::number) ? thousandths(factor.text()) : std::nullopt;
    if (!by || *by <= 0 || *by == 1'000 || *by > 1'000'000) return;
    std::vector<Card> more;
    for (const auto& card : cards) {
        if (!when.service.empty() && !card.when.service.empty()) continue;
        Card next = card;
        if (!when.service.empty()) next.when.service = when.service;
        if (!when.region.empty()) next.when.region = when.region;
        std::erase_if(next.rates, [](const auto& rate) { return !is_tokens(rate.first); });
        for (auto& [bucket, rate] : next.rates) rate = rate.times(*by, 1'000);
        more.push_back(std::move(next));
    }
    cards.insert(cards.end(), more.begin(), more.end());
}

std::vector<Card> cards_of(const json::Value& model, std::string_view provider) {
    std::vector<Card> cards(1);  // the base, also where it has no rate
    for (const auto field : model.children()) {
        std::string_view name = field.key();
        const auto when = condition_in(name, provider);
        const auto* const known = std::ranges::find(kFields, name, &Field::name);
        if (known == kFields.end()) continue;
        const auto rate = rate_of(field, known->bucket);
        const bool none =
            rate && *rate == Amount{} && known->bucket != Bucket::input && known->bucket != Bucket::output;
        if (rate && !none) card_for(cards, when).rates.emplace_back(known->bucket, *rate);
    }
    add_tiers(cards, model["tiered_pricing"], provider);
    const auto search = model["search_context_cost_per_query"]["search_context_size_medium"];
    if (const auto rate = rate_of(search, Bucket::web_search); rate && *rate > Amount{})
        cards[0].rates.emplace_back(Bucket::web_search, *rate);
    Condition fast, us;
    fast.service = "fast";
    us.region = "us";
    multiply(cards, model["provider_specific_entry"]["fast"], fast);
    multiply(cards, model["provider_specific_entry"]["us"], us);
    return cards;
}

}  // namespace

Imported import_litellm(const json::Value& table, std::string_view source, std::string_view checked) {
    Imported out;
    out.kind = "litellm";
    for (const auto model : table.children()) {
        if (model.key() == "sample_spec" || !model.is(json::Kind::object)) continue;
        Entry entry;
        entry.provider = provider_id(model["litellm_provider"].text());
        entry.model = lower(model.key());
        if (const auto slash = entry.model.find('/');
            slash != std::string::npos && provider_id(entry.model.substr(0, slash)) == entry.provider)
            entry.model.erase(0, slash + 1);
        entry.match = Matcher::equals(entry.model);
        entry.cards = cards_of(model, entry.provider);
        const bool priced =
            std::ranges::any_of(entry.cards[0].rates, [](const auto& rate) { return rate.second > Amount{}; });
        if (entry.provider.empty() || entry.model.empty() || !priced) {
            ++out.left_out;
            continue;
        }
        entry.source = source;
        entry.checked = checked;
        out.book.add(std::move(entry));
    }
    return out;
}

}  // namespace tandem::prices
