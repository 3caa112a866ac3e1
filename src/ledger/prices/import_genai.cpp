// genai-prices' data.json: an array of providers with models, matchers, and prices of a million tokens that may depend
// on a date, an hour, or the length of the prompt.
#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "base/time_text.h"
#include "ledger/prices/import.h"
#include "ledger/prices/reading.h"

namespace tandem::prices {

namespace {

constexpr std::array<std::pair<std::string_view, Bucket>, 21> kFields = {
    {{"input_mtok", Bucket::input},
     {"output_mtok", Bucket::output},
     {"cache_read_mtok", Bucket::cache_read},
     {"cache_write_mtok", Bucket::cache_write},
     {"cache_write_1h_mtok", Bucket::cache_write_1h},
     {"input_audio_mtok", Bucket::audio_input},
     {"cache_audio_read_mtok", Bucket::cached_audio},
     {"output_audio_mtok", Bucket::audio_output},
     {"input_image_mtok", Bucket::image_input},
     {"cache_image_read_mtok", Bucket::cached_image},
     {"output_image_mtok", Bucket::image_output},
     {"input_video_mtok", Bucket::video_input},
     {"output_video_mtok", Bucket::video_output},
     {"output_reasoning_mtok", Bucket::reasoning},
     {"output_citation_mtok", Bucket::citation},
     {"requests_kcount", Bucket::requests},
     {"web_searches_kcount", Bucket::web_search},
     {"storage_searches_kcount", Bucket::file_search},
     {"audio_hours", Bucket::seconds},
     {"input_document_kpages", Bucket::pages},
     {"input_mchars", Bucket::characters}}};

void put(std::vector<Card>& cards, const Condition& when, Bucket bucket, const json::Value& value) {
    const auto rate = Amount::parse(trim(value.text()));
    if (!rate || *rate < Amount{}) return;
    auto found = std::ranges::find(cards, when, &Card::when);
    if (found == cards.end()) found = cards.insert(cards.end(), Card{when, {}});
    if (found->rate(bucket) == nullptr) found->rates.emplace_back(bucket, *rate);
}

std::vector<Card> cards_of(const json::Value& prices, const Condition& when) {
    std::vector<Card> cards{{when, {}}};
    for (const auto field : prices.children()) {
        const auto* const known = std::ranges::find(kFields, field.key(), &std::pair<std::string_view, Bucket>::first);
        if (known == kFields.end()) continue;
        if (!field.is(json::Kind::object)) {
            put(cards, when, known->second, field);
            continue;
        }
        put(cards, when, known->second, field["base"]);
        for (const auto tier : field["tiers"].children()) {
            auto longer = when;
            longer.over = tier["start"].integer();
            if (!longer.over) continue;
            put(cards, longer, known->second, tier["price"]);
        }
    }
    return cards;
}

std::int64_t start_of(const json::Value& price) {
    return time_from(price["constraint"]["start_date"].text()).value_or(INT64_MIN);
}

std::optional<Window> window_of(const json::Value& constraint) {
    Window window;
    for (const auto& [name, minutes] : {std::pair{"start_time", &window.from}, {"end_time", &window.to}}) {
        const auto text = constraint[name].text();
        const auto hour = text.size() >= 5 ? whole_number(text.substr(0, 2)) : std::nullopt;
        const auto minute = text.size() >= 5 ? whole_number(text.substr(3, 2)) : std::nullopt;
        if (!hour || !minute) return std::nullopt;
        *minutes = static_cast<int>(*hour * 60 + *minute) % 1'440;
    }
    return window;
}

std::string service_of(const json::Value& when) {
    if (when["processing"].text() == "batch") return "batch";
    if (when["speed"].text() == "fast") return "fast";
    return std::string(when["service_tier"].text());
}

// All that holds from `start` on: the last price that began by then, those of hours, and the tiers that are known by
// then.
std::vector<Card> cards_from(const json::Value& model, std::int64_t start) {
    std::vector<Card> cards, hours;
    const auto prices = model["prices"];
    if (prices.is(json::Kind::object)) cards = cards_of(prices, {});
    for (const auto price : prices.is(json::Kind::array) ? prices.children() : json::Value().children()) {
        if (const auto window = window_of(price["constraint"])) {
            Condition when;
            when.windows = {*window};
            for (auto& card : cards_of(price["prices"], when)) hours.push_back(std::move(card));
        } else if (start_of(price) <= start) {
            cards = cards_of(price["prices"], {});
        }
    }
    cards.insert(cards.end(), hours.begin(), hours.end());
    for (const auto variant : model["price_variants"].children()) {
        Condition when;
        when.service = service_of(variant["when"]);
        if (when.service.empty() || start_of(variant) > start) continue;
        std::erase_if(cards, [&](const Card& card) { return card.when.service == when.service; });
        for (auto& card : cards_of(variant["prices"], when)) cards.push_back(std::move(card));
    }
    return cards;
}

void add_model(const json::Value& model, std::string_view provider, std::string_view source, std::string_view checked,
               Imported& out) {
    auto match = Matcher::read(model["match"]);
    std::set<std::int64_t> starts{INT64_MIN};
    for (const auto* list : {"prices", "price_variants"})
        if (model[list].is(json::Kind::array))
            for (const auto price : model[list].children()) starts.insert(start_of(price));
    bool any = false;
    for (auto start = starts.begin(); match && start != starts.end(); ++start) {
        Entry entry;
        entry.provider = provider;
        entry.model = lower(model["id"].text());
        entry.match = *match;
        entry.from = *start;
        if (std::next(start) != starts.end()) entry.until = *std::next(start);
        entry.source = source;
        entry.checked = checked;
        entry.cards = cards_from(model, *start);
        const bool named = !entry.provider.empty() && !entry.model.empty();
        if (!named || entry.base() == nullptr || entry.base()->rates.empty()) continue;
        any = true;
        out.book.add(std::move(entry));
    }
    if (!any) ++out.left_out;
}

}  // namespace

Imported import_genai(const json::Value& providers, std::string_view source, std::string_view checked) {
    Imported out;
    out.kind = "genai-prices";
    for (const auto provider : providers.children())
        for (const auto model : provider["models"].children())
            add_model(model, provider_id(provider["id"].text()), source, checked, out);
    return out;
}

}  // namespace tandem::prices
